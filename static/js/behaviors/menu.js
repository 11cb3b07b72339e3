// The popover that a [data-menu] link opens: fetched, placed beside its link, closed by Esc or a click elsewhere; then the focus
// returns. It holds a menu (arrows, Home, End, the first letters of an item; Tab leaves it) or a dialog, which Tab walks through too.
import { focusOrder } from "../place.js"

const LETTERS_MS = 700
let opener = null
let column = null
let isByKey = false
let letters = ""
let lettersEnd = null

export function attach(menu) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-menu]")
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault()
      open(menu, link)
    }
  })
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("[data-menu]") || ![" ", "ArrowDown", "ArrowUp"].includes(event.key)) return
    if (event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    open(menu, event.target, event.key === "ArrowUp" ? -1 : 0)
  })
  menu.addEventListener("toggle", (event) => event.newState === "closed" && leave(menu))
  menu.addEventListener("keydown", (event) => step(menu, event))
  menu.addEventListener("htmx:afterRequest", (event) => event.target !== menu && done(menu))
}

// The link may be drawn anew while its menu is fetched: the one that stands in its place is as good.
async function open(menu, clicked, first = 0) {
  isByKey = clicked.matches(":focus-visible")
  try {
    await window.htmx.ajax("GET", clicked.dataset.menu, { source: menu, target: menu, swap: "innerHTML" })
  } catch {
    return location.assign(clicked.href)
  }
  const link = standing(clicked)
  if (!link) return
  opener = link
  column = link.closest("[data-cards]")
  link.setAttribute("aria-expanded", "true")
  menu.showPopover()
  const at = link.getBoundingClientRect()
  const left = Math.min(at.left, innerWidth - menu.offsetWidth - 8)
  const below = at.bottom + 4 + menu.offsetHeight <= innerHeight
  menu.style.left = `${Math.max(8, left)}px`
  menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - menu.offsetHeight - 4)}px`
  const start = menu.querySelector(".notice") ?? items(menu).at(first)
  start?.focus()
}

// What was asked for is done, or refused: a card is gone to wherever it stands now, or stays.
function done(menu) {
  const order = opener?.closest("[data-order]")?.dataset.order
  menu.hidePopover()
  if (order) focusOrder(order, { preventScroll: !isByKey }, column)
}

function leave(menu) {
  const link = opener
  opener = null
  link?.removeAttribute("aria-expanded")
  const isElsewhere = document.activeElement !== document.body && !menu.contains(document.activeElement)
  if (isElsewhere || !link) return
  standing(link)?.focus({ preventScroll: true })
}

function standing(link) {
  return link.isConnected ? link : document.querySelector(`[data-menu="${link.dataset.menu}"]`)
}

function step(menu, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const all = items(menu)
  const here = all.indexOf(document.activeElement)
  const isMenu = menu.querySelector("[role=menu]")
  const found = { ArrowDown: all[here + 1] ?? all[0], ArrowUp: all[here - 1] ?? all.at(-1), Home: all[0], End: all.at(-1) }[event.key]
  if (found) found.focus()
  else if (isMenu && event.key === "Tab") return menu.hidePopover() // the focus goes on from the link that opened it
  else if (isMenu && event.key === " " && !letters) all[here]?.click()
  else if (isMenu && event.key.length === 1) named(all, here, event.key)?.focus()
  else return
  event.preventDefault()
}

// The next item whose name begins with the letters typed so far; one letter again and again goes from item to item.
function named(all, here, letter) {
  clearTimeout(lettersEnd)
  lettersEnd = setTimeout(() => (letters = ""), LETTERS_MS)
  letters += letter.toLowerCase()
  const again = [...letters].every((one) => one === letters[0])
  const wanted = again ? letters[0] : letters
  const order = [...all.slice(here + 1), ...all.slice(0, here + 1)]
  if (!again && here >= 0) order.unshift(all[here])
  return order.find((item) => item.textContent.trim().toLowerCase().startsWith(wanted))
}

function items(menu) {
  return [...menu.querySelectorAll('[role=menuitem], [role=dialog] :is(a, button)')]
}
