// One way to move an order, for drag and keys: POST /orders/<id>/move. On failure the card goes back where it stood.
import { focusOrder } from "./place.js"

export function post(card, status, before, undo) {
  const values = { status, before, version: card.dataset.version, key: crypto.randomUUID().replaceAll("-", "") }
  const source = card.closest("li") ?? card
  let answered = false
  const after = (event) => {
    if (event.detail.elt !== source) return
    source.removeEventListener("htmx:afterRequest", after)
    const code = event.detail.xhr?.status ?? 0
    answered = true
    if (code !== 409 && (code < 200 || code >= 300)) undo()
    refocus(card.dataset.order)
  }
  source.addEventListener("htmx:afterRequest", after)
  window.htmx.ajax("POST", `/orders/${card.dataset.order}/move`, { source, target: "#toasts", swap: "none", values }).catch(() => answered || undo())
}

// A card that is put elsewhere in the page loses the focus.
function refocus(order) {
  if (document.activeElement === document.body) focusOrder(order, { preventScroll: true })
}

// Where a dropped item stands, as the server reads it: the next card's id, «end», or empty for the top of nothing.
export function beforeOf(item) {
  const next = item.nextElementSibling
  return next?.dataset.next ?? next?.querySelector("[data-order]")?.dataset.order ?? "end"
}
