// The bar of what is chosen: how many, their sum, where to. M opens its menu wherever the focus is on the board.
import { cards, clear, pairs } from "../chosen.js"
import { isKey } from "../single-key.js"

export function attach(bar) {
  const money = new Intl.NumberFormat(document.documentElement.lang, {
    style: "currency", currency: bar.dataset.currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: 0, maximumFractionDigits: 2,
  })
  const [count, sum, move] = ["[data-count]", "[data-sum]", "[data-menu]"].map((selector) => bar.querySelector(selector))
  document.addEventListener("potok:chosen", () => {
    const chosen = cards()
    bar.hidden = !chosen.length
    if (bar.hidden) return
    count.textContent = chosen.length
    sum.textContent = money.format(chosen.reduce((all, { dataset }) => all + Number(dataset.total), 0) / 100)
    move.dataset.menu = `${bar.dataset.url}?orders=${pairs()}`
  })
  bar.querySelector("[data-clear]").addEventListener("click", clear)
  document.addEventListener("keydown", (event) => {
    if (!isKey(event, "KeyM")) return
    const link = bar.hidden ? event.target.closest(".card")?.querySelector("[data-menu]") : move
    if (!link) return
    event.preventDefault()
    link.click()
  })
}
