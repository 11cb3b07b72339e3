// The live feed: topics come by a stream, or by polling where there is no room; what they name is fetched anew.
// Hidden tabs hold no stream. Swaps wait for the end of a drag (place.js) and leave dirty forms alone (dirty.js).
const JITTER_MS = 120
const POLL_MS = 3000
const RETRY_MS = 1500

const board = document.querySelector("[data-live-board]")
let last = board?.dataset.since ?? ""
let stream = null
let poll = null
let pending = new Set()
let timer = null

function open() {
  if (stream || document.hidden || !document.querySelector("[data-live], [data-live-board]")) return
  stream = new EventSource(last ? `/live?since=${last}` : "/live")
  stream.onmessage = (event) => {
    clearInterval(poll)
    take(event.lastEventId, JSON.parse(event.data))
  }
  stream.onerror = () => {
    if (stream?.readyState !== EventSource.CLOSED) return
    close()
    poll = setInterval(look, POLL_MS)
  }
}

function close() {
  stream?.close()
  stream = null
  clearInterval(poll)
}

async function look() {
  const answer = await fetch(`/live/since?last=${last}`).catch(() => null)
  if (!answer?.ok) return
  const { last: newest, topics } = await answer.json()
  take(newest, topics)
}

function take(id, topics) {
  last = id || last
  if (!topics.length) return
  topics.forEach((topic) => pending.add(topic))
  timer ??= setTimeout(flush, Math.random() * JITTER_MS)
}

function flush() {
  const topics = pending
  pending = new Set()
  timer = null
  document.dispatchEvent(new CustomEvent("potok:topics", { detail: { topics } }))
  if (!board) return
  if (topics.has("resync") || [...topics].some((topic) => topic.startsWith("board-"))) return resync()
  const numbers = (kind) => [...topics].filter((topic) => topic.startsWith(kind)).map((topic) => topic.slice(kind.length))
  const cards = numbers("card-")
  const heads = numbers("head-").filter((id) => document.getElementById(`head-${id}`))
  if (cards.length > 50) return resync()
  if (cards.length || heads.length) fetchParts(`/fresh?cards=${cards}&heads=${heads}`, { target: "#toasts", swap: "none" }, topics)
}

function resync() {
  fetchParts(location.href, { target: "#main", select: "#main", swap: "morph:outerHTML" }, new Set(["resync"]))
}

// What could not be fetched is still out of date: it is asked for again.
function fetchParts(url, context, topics) {
  window.htmx.ajax("GET", url, context).catch(() => {
    topics.forEach((topic) => pending.add(topic))
    timer ??= setTimeout(flush, RETRY_MS)
  })
}

document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()))
window.addEventListener("pagehide", close)
open()
