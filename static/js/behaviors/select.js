// Choosing cards of a board: X on the focused card, Ctrl and a click, «Select» in its menu, then the ticks; Shift chooses a range within
// the column; Esc lets all go. Found by the key's place, so that Russian letters do the same.
import { isKey } from "../single-key.js"
import { card, cards, choose, clear, count, isChosen, show } from "../chosen.js"

export function attach(board) {
  let last = null
  const pick = (one, isRange) => {
    const { order } = one.dataset
    if (isRange && last) between(last, one).forEach((id) => choose(id, true))
    else choose(order)
    last = isChosen(order) ? one : null
  }
  board.addEventListener("click", (event) => {
    const one = event.target.closest(".card:has([data-tick])")
    const tick = event.target.closest("[data-tick]")
    if (!one || !(tick || event.ctrlKey || event.metaKey)) return
    if (!tick) event.preventDefault() // of the link that the card is
    pick(one, event.shiftKey)
  }, true)
  board.addEventListener("keydown", (event) => {
    const one = event.target.closest(".card:has([data-tick])")
    if (!one || !isKey(event, "KeyX")) return
    event.preventDefault()
    pick(one, event.shiftKey)
  })
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !count() || event.defaultPrevented) return
    if (document.querySelector("dialog[open], .menu:popover-open, .quick[open]") || event.target.closest("input:not([data-tick]), textarea")) return
    clear()
  })
  document.addEventListener("click", (event) => {
    const item = event.target.closest("[data-choose]")
    if (!item) return
    document.getElementById("menu").hidePopover()
    const one = card(item.dataset.choose)
    if (one) pick(one, false)
  })
  for (const name of ["htmx:oobAfterSwap", "htmx:afterSettle"]) document.addEventListener(name, () => count() && show())
  document.addEventListener("potok:many", ({ detail }) => {
    const kept = detail.refused.map(String)
    cards().forEach(({ dataset }) => kept.includes(dataset.order) || choose(dataset.order, false))
  })
}

// Of one column; of two the latter alone.
function between(first, second) {
  const list = second.closest("[data-cards]")
  const all = [...list.querySelectorAll(".card")].map((one) => one.dataset.order)
  const [from, to] = [all.indexOf(first.dataset.order), all.indexOf(second.dataset.order)].sort((a, b) => a - b)
  return from < 0 ? [second.dataset.order] : all.slice(from, to + 1)
}
