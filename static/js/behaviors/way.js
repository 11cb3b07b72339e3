import { show } from "../toasts.js"

// The whole way: both documents of one kitchen light up together; a drop across documents is an offer or a refusal.
export function attach(board) {
  const light = (event) => {
    const card = event.target.closest?.("[data-kitchen]")
    for (const lit of board.querySelectorAll("[data-selected]")) delete lit.dataset.selected
    if (card) for (const one of board.querySelectorAll(`[data-kitchen="${card.dataset.kitchen}"]`)) one.dataset.selected = ""
  }
  for (const name of ["pointerover", "focusin"]) board.addEventListener(name, light)
  board.addEventListener("pointerleave", light)
}

// Whether the drop is across documents; then the reason, or the offer, is shown.
export function refuse(from, to, card) {
  const [source, target] = [from.closest(".column"), to.closest(".column")]
  if (!source.dataset.doc || source.dataset.doc === target.dataset.doc) return false
  const offers = source.dataset.doc === "orders" && target.dataset.doc === "production"
  show(offers ? "offer-production" : "refused-across", (toast) => {
    const form = toast.querySelector("[data-offer]")
    const url = `/orders/${card.dataset.order}/production`
    if (!form) return
    form.setAttribute("action", url)
    form.setAttribute("hx-post", url)
    form.elements.key.value = crypto.randomUUID().replaceAll("-", "")
  })
  return true
}
