// A board: cards are dragged between columns; Ctrl+arrows do the same from the keyboard.
import { focusOrder, hold, putBack, release } from "../place.js"
import { cards, isChosen } from "../chosen.js"
import { beforeOf, post, postMany } from "../move.js"
import { refuse } from "./way.js"

export function attach(board) {
  makeSortable(board)
  document.addEventListener("htmx:load", () => makeSortable(board))
  board.addEventListener("keydown", (event) => key(event))
  document.addEventListener("htmx:confirm", (event) => byMenu(event))
}

// Where there is a touch screen, Sortable moves the card itself: beside the browser's own dragging it does not scroll at the edges.
const isTouched = matchMedia("(any-pointer: coarse)").matches

// Also of columns that came with a swap.
function makeSortable(board) {
  for (const list of board.querySelectorAll("[data-cards]")) {
    if (window.Sortable.get(list)) continue
    window.Sortable.create(list, {
      group: { name: "orders", put: (to, from) => to === from || !isClosed(to.el.closest(".column")) },
      draggable: "li[data-rank]", filter: "button, input, form", preventOnFilter: false,
      animation: 0, delay: 250, delayOnTouchOnly: true, touchStartThreshold: 5, fallbackTolerance: 4,
      ghostClass: "is-ghost", chosenClass: "is-chosen", dragClass: "is-dragged", emptyInsertThreshold: 60,
      forceFallback: isTouched, scroll: true, scrollSensitivity: 60, scrollSpeed: 7,
      setData: (data, item) => stack(data, item),
      onStart: (event) => start(board, event), onMove: (event) => over(board, event), onEnd: (event) => end(board, event),
    })
  }
}

let origin = null

// Those that go with the one that is dragged, itself among them, in the order in which they stand; none where it goes alone.
function others(item) {
  const { order } = item.querySelector("[data-order]").dataset
  const chosen = isChosen(order) ? cards() : []
  return chosen.length > 1 ? chosen.map((one) => one.closest("li")) : []
}

// What the hand holds of several: the card, with their number.
function stack(data, item) {
  data.setData("text/plain", "")
  const { length } = others(item)
  if (!length) return
  const layer = document.createElement("div")
  layer.className = "drag-layer"
  layer.append(item.querySelector(".card").cloneNode(true), Object.assign(document.createElement("span"), { className: "drag-count", textContent: length }))
  layer.querySelector("[id]")?.removeAttribute("id")
  document.body.append(layer)
  data.setDragImage(layer, 24, 24)
  setTimeout(() => layer.remove())
}

function start(board, event) {
  hold()
  origin = { list: event.from, next: event.item.nextElementSibling }
  for (const column of board.querySelectorAll(".column")) column.dataset.drop = isClosed(column) && !column.contains(event.from) ? "forbidden" : "allowed"
}

// To whoever drags: they may not, or it is full.
function isClosed(column) {
  return column.hasAttribute("data-locked") || Boolean(column.querySelector(".column-head[data-full]"))
}

function over(board, event) {
  for (const column of board.querySelectorAll('[data-drop="over"]')) column.dataset.drop = "allowed"
  const column = event.to.closest(".column")
  if (column.dataset.drop === "allowed") column.dataset.drop = "over"
}

function end(board, event) {
  for (const column of board.querySelectorAll("[data-drop]")) delete column.dataset.drop
  const { list, next } = origin
  const to = settle(event)
  const card = event.item.querySelector("[data-order]")
  const together = others(event.item)
  const isStill = to === list && event.item.nextElementSibling === next
  if (together.length) dropTogether(event.item, together, to)
  else if (!isStill && refuse(event.from, to, card)) putBack(card)
  else if (!isStill) post(card, to.dataset.cards, beforeOf(event.item))
  release()
}

function dropTogether(item, together, to) {
  const before = beforeOf(item, together)
  let next = item.nextElementSibling
  while (together.includes(next)) next = next.nextElementSibling
  together.forEach((one) => to.insertBefore(one, next))
  postMany(together.map((one) => one.querySelector("[data-order]")), to.dataset.cards, before)
}

// A quick hand lets go before the last column was noticed: where the pointer is counts.
function settle({ item, to, originalEvent }) {
  const { clientX, clientY } = originalEvent ?? {}
  const column = clientX || clientY ? document.elementFromPoint(clientX, clientY)?.closest(".column") : null
  const list = column?.querySelector("[data-cards]")
  if (!list || list === to || isClosed(column)) return to
  const below = [...list.children].find((one) => one !== item && clientY < one.getBoundingClientRect().top + one.offsetHeight / 2)
  list.insertBefore(item, below ?? list.querySelector(":scope > .more"))
  return list
}

function key(event) {
  if (!(event.ctrlKey || event.metaKey) || !event.key.startsWith("Arrow")) return
  const item = event.target.closest("li[data-rank]")
  if (!item) return
  event.preventDefault()
  const list = item.parentElement
  if (event.key === "ArrowUp" || event.key === "ArrowDown") return withinColumn(item, event.key)
  const target = neighbour(list, event.key === "ArrowRight" ? 1 : -1)
  const card = item.querySelector("[data-order]")
  if (!target || refuse(list, target, card)) return
  target.prepend(item)
  item.querySelector(".card-link")?.focus()
  item.scrollIntoView({ block: "nearest", inline: "nearest" })
  post(card, target.dataset.cards, "")
}

// «Move to…» of a card's menu does what a hand would: the card is there at once. Where the page does not show its column, the form goes
// its own way.
function byMenu(event) {
  const { elt, triggeringEvent } = event.detail
  const item = elt.matches("#menu [data-move]") && document.getElementById(`item-${elt.dataset.move}`)
  const target = document.querySelector(`[data-cards="${triggeringEvent?.submitter?.value}"]`)
  if (!item || !target) return
  event.preventDefault()
  document.getElementById("menu").hidePopover()
  target.prepend(item)
  focusOrder(elt.dataset.move, { preventScroll: true })
  post(item.querySelector("[data-order]"), target.dataset.cards, "")
}

function withinColumn(item, key) {
  const other = key === "ArrowUp" ? item.previousElementSibling : item.nextElementSibling
  if (!other?.dataset.rank) return
  if (key === "ArrowUp") other.before(item)
  else other.after(item)
  item.querySelector(".card-link")?.focus()
  post(item.querySelector("[data-order]"), item.parentElement.dataset.cards, beforeOf(item))
}

function neighbour(list, step) {
  const lists = [...document.querySelectorAll("[data-cards]")]
  return lists[lists.indexOf(list) + step]
}
