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

// Whether the drop was across documents; then the card goes back and the reason, or the offer, is shown.
export function refuse(from, to, card, undo) {
  const [source, target] = [from.closest(".column"), to.closest(".column")]
  if (!source.dataset.doc || source.dataset.doc === target.dataset.doc) return false
  undo()
  const offers = source.dataset.doc === "orders" && target.dataset.doc === "production"
  const template = document.getElementById(offers ? "offer-production" : "refused-across")
  const toast = template.content.cloneNode(true).querySelector(".toast")
  const form = toast.querySelector("[data-offer]")
  if (form) {
    const url = `/orders/${card.dataset.order}/production`
    form.setAttribute("action", url)
    form.setAttribute("hx-post", url)
  }
  toast.removeAttribute("hx-swap-oob")
  document.getElementById("toasts").replaceChildren(toast)
  window.htmx.process(toast)
  document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: toast } }))
  return true
}
