// Toasts that the page shows by itself, made by the server as templates; and what is said when an answer does not come.
import { waitsForLine } from "./saving.js"

const region = document.getElementById("toasts")

// template: the id of a <template> that holds a toast.
export function show(template, prepare = () => {}) {
  const toast = document.getElementById(template).content.cloneNode(true).querySelector(".toast")
  prepare(toast)
  region.append(toast)
}

// What is fetched in the background asks again by itself: see refresh.js.
const inBackground = (event) => event.detail.requestConfig?.headers["X-Potok-Refresh"]

// A card's move that waits for the line says so itself: see move.js.
const isKept = ({ detail }) => waitsForLine() && /^\/orders\/\d+\/move$/.test(detail.requestConfig?.path) && detail.elt.matches("li")

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => inBackground(event) || isKept(event) || show("toast-lost"))
}

// An error page that is not ours, of a proxy for instance, belongs in no part of this page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail
  if (xhr.status < 500 || xhr.getResponseHeader("HX-Reswap")) return
  event.detail.shouldSwap = false
  if (!inBackground(event)) show("toast-failed")
})
