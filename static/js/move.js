// One way to move an order, for drag and keys: POST /orders/<id>/move. On failure the card goes back where it stood.
// A hand may be faster than the server: the next move of an order waits for the one before, whose answer brings the new version.
// Where there is no line, a move waits for it, and is sent again with its key, so that it happens once.
import { catchUp, focusOrder, putBack, runAhead } from "./place.js"
import { whenAnswered } from "./refresh.js"
import { begin, end, wait as markWaiting, waitsForLine } from "./saving.js"
import { show } from "./toasts.js"

const AGAIN_MS = 5000
const waiting = new Map() // order: what else it is to do once it is answered
const offline = new Map() // order: {card, move, timer}

export function post(card, status, before) {
  const { order } = card.dataset
  const moves = waiting.get(order)
  runAhead(order)
  if (moves) return moves.push({ status, before })
  waiting.set(order, [])
  send(card, { status, before })
}

// Several with one request, once what is under way is answered; what is refused comes back with the answer, each in its true place.
export function postMany(cards, status, before) {
  cards.forEach(({ dataset }) => runAhead(dataset.order))
  whenAnswered(() => {
    const orders = cards.map(({ dataset }) => `${dataset.order}:${dataset.version}`).join(",")
    ask(cards[0], "/orders/move", { orders, status, before, key: newKey() }, (code) => {
      for (const card of cards) {
        if (isGood(code)) catchUp(card.dataset.order)
        else putBack(card)
      }
    })
  })
}

const newKey = () => crypto.randomUUID().replaceAll("-", "")
const isGood = (code) => code >= 200 && code < 300

// The first time it says which version it was made of; asked again it says the same, so that it overwrites nobody.
function send(card, move) {
  move.version ??= card.dataset.version
  move.key ??= newKey()
  begin(card)
  ask(card, `/orders/${card.dataset.order}/move`, move, (code) => settle(card, move, code))
}

// answered: gets the code, 0 where no answer came.
function ask(card, url, values, answered) {
  const source = card.closest("li") ?? card
  let isAnswered = false
  const after = (event) => {
    if (event.detail.elt !== source) return
    source.removeEventListener("htmx:afterRequest", after)
    isAnswered = true
    answered(event.detail.xhr?.status ?? 0)
  }
  source.addEventListener("htmx:afterRequest", after)
  const request = window.htmx.ajax("POST", url, { source, target: "#toasts", swap: "none", values })
  // an item that has left the page hears of nothing; nor does one whose request never began
  request.then(() => isAnswered || answered(200)).catch(() => isAnswered || answered(0))
}

function settle(card, move, code) {
  const { order } = card.dataset
  const moves = waiting.get(order) ?? [] // none where whoever waited has given up
  end(card)
  if (!code && waitsForLine()) return waitForLine(card, move)
  offline.delete(order)
  if (isGood(code) && moves.length) {
    const next = moves.shift()
    return setTimeout(() => send(card, next)) // htmx still holds the item for the answer that has just come
  }
  waiting.delete(order)
  if (code === 422 && document.querySelector(`dialog[data-of="${order}"]`)) return waitForDialog(card)
  finish(card, isGood(code) || code === 409)
}

// isTold: the answer has said where the card stands.
function finish(card, isTold) {
  if (isTold) catchUp(card.dataset.order)
  else putBack(card)
  refocus(card.dataset.order)
}

function waitForLine(card, move) {
  const { order } = card.dataset
  if (!offline.has(order)) show("toast-waits")
  markWaiting(card)
  offline.set(order, { card, move, timer: setTimeout(() => navigator.onLine && sendAgain(order), AGAIN_MS) })
}

function sendAgain(order) {
  const left = offline.get(order)
  if (!left.timer) return // it is on its way
  clearTimeout(left.timer)
  left.timer = null
  send(left.card, left.move)
}

// Whoever does not want to wait takes the cards back to where they stood.
function giveUp() {
  for (const [order, { card, timer }] of offline) {
    clearTimeout(timer)
    end(card)
    offline.delete(order)
    waiting.delete(order)
    finish(card, false)
  }
}

addEventListener("online", () => [...offline.keys()].forEach(sendAgain))
addEventListener("beforeunload", (event) => offline.size && event.preventDefault())
document.addEventListener("click", (event) => event.target.closest("[data-give-up]") && giveUp())

// A gate asks for more: the card waits where it was put, until its dialog is answered or left.
function waitForDialog(card) {
  card.dataset.waiting = ""
  document.addEventListener("potok:dialog-left", function hear({ detail }) {
    if (detail.order !== card.dataset.order) return
    document.removeEventListener("potok:dialog-left", hear)
    delete card.dataset.waiting
    finish(card, detail.isDone)
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
