// A part that is fetched anew when one of its topics comes, unless somebody is filling in a form in it.
import { refresh } from "../refresh.js"

export function attach(part) {
  const topics = part.dataset.live.split(" ")
  const again = () => {
    if (!part.isConnected) return document.removeEventListener("potok:topics", hear)
    if (!part.dataset.url) return // drawn anew as a placeholder that is about to fetch itself
    if (part.querySelector("[data-dirty], form:focus-within input:not([type=hidden])")) return
    refresh(part.dataset.url, { target: `#${part.id}`, select: part.dataset.select, swap: "morph:outerHTML" }).catch(() => {})
  }
  const hear = (event) => (event.detail.topics.has("resync") || topics.some((topic) => event.detail.topics.has(topic))) && again()
  document.addEventListener("potok:topics", hear)
  document.addEventListener("potok:order", (event) => topics.includes(`order-${event.detail.order}`) && again())
}
