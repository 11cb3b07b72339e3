// A part that is fetched anew when one of its topics comes. It waits while somebody is filling in a form in it, and asks again for
// what could not be fetched. The focus stays with what has the same id; where that is gone it goes to the part's [data-focus].
import { refresh } from "../refresh.js"

const RETRY_MS = 1500
const MOST_MS = 60000

export function attach(part) {
  const topics = part.dataset.live.split(" ")
  const isBusy = () => part.querySelector("[data-dirty], form:focus-within input:not([type=hidden])")
  let timer = null
  let wait = RETRY_MS // longer each time it failed
  const later = (ms = RETRY_MS) => {
    timer ??= setTimeout(() => {
      timer = null
      again()
    }, ms)
  }
  const failed = () => {
    later(wait)
    wait = Math.min(wait * 2, MOST_MS)
  }
  const again = () => {
    if (!part.isConnected) return document.removeEventListener("potok:topics", hear)
    if (!part.dataset.url) return // drawn anew as a placeholder that is about to fetch itself
    if (isBusy()) return later()
    const focused = part.contains(document.activeElement) ? document.activeElement : null
    const answer = refresh(part.dataset.url, { target: `#${part.id}`, select: part.dataset.select, swap: "morph:outerHTML" })
    answer.then(() => focused && keepFocus(focused.id)).catch(failed)
  }
  const hear = (event) => (event.detail.topics.has("resync") || topics.some((topic) => event.detail.topics.has(topic))) && again()
  part.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig, xhr } = event.detail
    if (target !== part || !requestConfig.headers["X-Potok-Refresh"]) return
    if (xhr.status >= 500) return // then refresh() fails
    wait = RETRY_MS
    if (!isBusy()) return
    event.detail.shouldSwap = false
    later()
  })
  document.addEventListener("potok:topics", hear)
  document.addEventListener("potok:order", (event) => topics.includes(`order-${event.detail.order}`) && again())
}

function keepFocus(id) {
  if (document.activeElement !== document.body) return
  const same = id && document.getElementById(id)
  ;(same || document.querySelector("[data-focus]"))?.focus({ preventScroll: true })
}
