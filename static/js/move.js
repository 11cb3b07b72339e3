// One way to move an order, for drag and keys: POST /orders/<id>/move. On failure the card goes back where it stood.
// A hand may be faster than the server: the next move of an order waits for the one before, whose answer brings the new version.
// Where there is no line, a move waits for it, and is sent again with its key, so that it happens once.
import { catchUp, focusOrder, runAhead } from "./place.js"
import { begin, end, wait as markWaiting, waitsForLine } from "./saving.js"
import { show } from "./toasts.js"

const AGAIN_MS = 5000
const waiting = new Map()
const offline = new Map() // order: {card, move}

export function post(card, status, before, undo) {
  const { order } = card.dataset
  const moves = waiting.get(order)
  runAhead(order)
  if (moves) return moves.push({ status, before, undo })
  waiting.set(order, [])
  send(card, { status, before, undo, key: newKey() })
}

const newKey = () => crypto.randomUUID().replaceAll("-", "")

// Several with one request; what is refused comes back with the answer, each in its true place.
export function postMany(cards, status, before, undo) {
  const orders = cards.map(({ dataset }) => `${dataset.order}:${dataset.version}`).join(",")
  const values = { orders, status, before, key: crypto.randomUUID().replaceAll("-", "") }
  const source = document.getElementById("bulk")
  cards.forEach(({ dataset }) => runAhead(dataset.order))
  const after = (event) => {
    if (event.detail.elt !== source) return
    source.removeEventListener("htmx:afterRequest", after)
    if (!event.detail.successful) undo()
    cards.forEach(({ dataset }) => catchUp(dataset.order))
  }
  source.addEventListener("htmx:afterRequest", after)
  window.htmx.ajax("POST", "/orders/move", { source, target: "#toasts", swap: "none", values })
}

function send(card, move) {
  const values = { status: move.status, before: move.before, version: card.dataset.version, key: move.key }
  const source = card.closest("li") ?? card
  let answered = false
  const after = (event) => {
    if (event.detail.elt !== source) return
    source.removeEventListener("htmx:afterRequest", after)
    answered = true
    settle(card, move, event.detail.xhr?.status ?? 0)
  }
  source.addEventListener("htmx:afterRequest", after)
  begin(card)
  const request = window.htmx.ajax("POST", `/orders/${card.dataset.order}/move`, { source, target: "#toasts", swap: "none", values })
  // an item that has left the page hears of nothing; nor does one whose request never began
  request.then(() => answered || settle(card, move, 200)).catch(() => answered || settle(card, move, 0))
}

function settle(card, move, code) {
  const { order } = card.dataset
  const moves = waiting.get(order) ?? [] // none where whoever waited has given up
  const isMoved = code >= 200 && code < 300
  end(card)
  if (!code && waitsForLine()) return waitForLine(card, move)
  offline.delete(order)
  if (isMoved && moves.length) {
    const next = { ...moves.shift(), key: newKey() }
    return setTimeout(() => send(card, next)) // htmx still holds the item for the answer that has just come
  }
  waiting.delete(order)
  if (code === 422 && document.querySelector(`dialog[data-of="${order}"]`)) return wait(card, move.undo)
  if (!isMoved && code !== 409) move.undo()
  catchUp(order)
  refocus(order)
}

function waitForLine(card, move) {
  const { order } = card.dataset
  if (!offline.has(order)) show("toast-waits")
  offline.set(order, { card, move })
  markWaiting(card)
  setTimeout(() => offline.has(order) && navigator.onLine && send(card, move), AGAIN_MS)
}

function sendWaiting() {
  for (const { card, move } of offline.values()) send(card, move)
}

// Whoever does not want to wait takes the cards back to where they stood.
function giveUp() {
  for (const [order, { card, move }] of offline) {
    end(card)
    offline.delete(order)
    waiting.delete(order)
    move.undo()
    catchUp(order)
  }
}

addEventListener("online", sendWaiting)
addEventListener("beforeunload", (event) => offline.size && event.preventDefault())
document.addEventListener("click", (event) => event.target.closest("[data-give-up]") && giveUp())

// A gate asks for more: the card waits where it was put, until its dialog is answered or left.
function wait(card, undo) {
  const { order } = card.dataset
  card.dataset.waiting = ""
  document.addEventListener("potok:dialog-left", function hear({ detail }) {
    if (detail.order !== order) return
    document.removeEventListener("potok:dialog-left", hear)
    delete card.dataset.waiting
    if (!detail.isDone) undo()
    catchUp(order)
    refocus(order)
  })
}

// A card that is put elsewhere in the page loses the focus.
function refocus(order) {
  if (document.activeElement === document.body) focusOrder(order, { preventScroll: true })
}

// Where a dropped item stands, as the server reads it: the next card's id, «end», or empty for the top of nothing.
// passing: items that move with it.
export function beforeOf(item, passing = []) {
  let next = item.nextElementSibling
  while (passing.includes(next)) next = next.nextElementSibling
  return next?.dataset.next ?? next?.querySelector("[data-order]")?.dataset.order ?? "end"
}
