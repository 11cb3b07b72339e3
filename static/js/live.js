// The live feed: topics come by a stream, or by polling where there is no room. For a board the stream brings the parts too;
// what can't be shown at once, and what other pages show, is fetched anew.
// Hidden tabs hold no stream. Swaps wait for the end of a drag (place.js) and leave dirty forms alone (dirty.js).
import { keep } from "./drafts.js"
import { isHeld, placeAll } from "./place.js"
import { isAsking, refresh } from "./refresh.js"

const JITTER_MS = 120
const RESYNC_JITTER_MS = 3000
const POLL_MS = 3000
const RETRY_MS = 1500
const STREAM_AGAIN_MS = 60000
const PATIENCE = 40 // times that an answer on its way is waited for

const board = document.querySelector("[data-live-board]")
let last = (board ?? document.querySelector("[data-since]"))?.dataset.since ?? ""
let stream = null
let poll = null
const pending = new Map() // topic: whether what it says is still to be fetched
const told = new Map() // the same, of all that was told since the page stood
let timer = null
let patience = PATIENCE

function open() {
  if (stream || document.hidden || !document.querySelector("[data-live], [data-live-board]")) return
  const asked = new URLSearchParams(last ? { since: last } : {})
  if (board) asked.set("page", location.pathname + location.search)
  stream = new EventSource(`/live?${asked}`)
  stream.onmessage = (event) => {
    clearInterval(poll)
    take(event.lastEventId, JSON.parse(event.data))
  }
  stream.onerror = () => {
    if (stream?.readyState !== EventSource.CLOSED) return
    close()
    poll = setInterval(look, POLL_MS)
    setTimeout(reopen, STREAM_AGAIN_MS)
  }
}

function close() {
  stream?.close()
  stream = null
  clearInterval(poll)
}

// There was no room for a stream; perhaps there is by now.
function reopen() {
  if (stream || document.hidden) return
  clearInterval(poll)
  open()
}

async function look() {
  const answer = await fetch(`/live/since?last=${last}`).catch(() => null)
  if (answer?.status === 401) return leave()
  if (!answer?.ok) return
  const { last: newest, ...news } = await answer.json()
  take(newest, news)
}

// The sign-in has ended: the page goes, and what was typed waits for whoever signs in again.
function leave() {
  keep()
  location.reload()
}

// Parts are shown as they come, in their order. Where something else is on its way that may be older, or a card is being dragged,
// they are fetched when that is over.
function take(id, { topics, html, places }) {
  last = id || last
  if (!topics.length) return
  topics.forEach((topic) => told.set(topic, Math.max(told.get(topic) ?? 0, Number(last))))
  if (html !== undefined && board && !timer && !isHeld() && !isAsking()) {
    placeAll(places)
    window.htmx.swap("#toasts", html, { swapStyle: "none" })
    return tell(new Set(topics))
  }
  topics.forEach((topic) => pending.set(topic, true))
  timer ??= setTimeout(flush, Math.random() * (isResync(pending.keys()) ? RESYNC_JITTER_MS : JITTER_MS))
}

function tell(topics) {
  document.dispatchEvent(new CustomEvent("potok:topics", { detail: { topics } }))
}

function isResync(topics) {
  return [...topics].some((topic) => topic === "resync" || topic.startsWith("board-"))
}

// Nothing is swapped under a card that is being dragged; and an answer that is on its way may bring what is pending.
function flush() {
  if (isHeld() || (isAsking() && patience-- > 0)) {
    timer = setTimeout(flush, isHeld() ? RETRY_MS : JITTER_MS)
    return
  }
  const topics = new Set(pending.keys())
  const missing = [...topics].filter((topic) => pending.get(topic))
  pending.clear()
  patience = PATIENCE
  timer = null
  tell(topics)
  if (!board) return
  if (isResync(topics)) return resync()
  const numbers = (kind) => missing.filter((topic) => topic.startsWith(kind)).map((topic) => topic.slice(kind.length))
  const cards = numbers("card-")
  const heads = numbers("head-").filter((id) => document.getElementById(`head-${id}`))
  if (cards.length > 50) return resync()
  if (cards.length || heads.length) fetchParts(`/fresh?cards=${cards}&heads=${heads}`, { target: "#toasts", swap: "none" }, topics)
}

// The whole page again; a form that somebody is filling in keeps it waiting.
function resync() {
  const typed = [...document.querySelectorAll(".quick[open] input:not([type=hidden])")].some((input) => input.value)
  if (typed || document.querySelector("#main [data-dirty]")) return later(new Set(["resync"]))
  fetchParts(location.href, { target: "#main", select: "#main", swap: "morph:outerHTML" }, new Set(["resync"]))
  fetchParts(location.href, { target: ".switcher", select: ".switcher", swap: "outerHTML" }, new Set(["resync"]))
}

// What could not be fetched is still out of date: it is asked for again.
function fetchParts(url, context, topics) {
  refresh(url, context).catch(() => later(topics))
}

function later(topics) {
  topics.forEach((topic) => pending.set(topic, true))
  timer ??= setTimeout(flush, RETRY_MS)
}

// What an answer has just shown need not be asked for, unless another one is on its way, which may show something older after it. What
// was told of a newer change meanwhile is asked for again; and so is everything while a card is being dragged, as its place waits.
document.addEventListener("potok:place", ({ detail: { places, heads, change } }) => {
  if (!board || !heads) return
  const shown = [...places.map(({ order }) => `card-${order}`), ...heads.map((id) => `head-${id}`)]
  const old = isHeld() ? shown : shown.filter((topic) => told.get(topic) > change)
  if (old.length) later(new Set(old))
  else if (!isAsking()) shown.forEach((topic) => pending.has(topic) && pending.set(topic, false))
})

document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()))
window.addEventListener("pagehide", close)
open()
