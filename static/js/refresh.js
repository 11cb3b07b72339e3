// Parts of the page fetched anew, one after the other: htmx lets only the last of several requests from one place wait.
// What waits already is not asked for twice, and an answer that doesn't come holds up the others for a while only.
const PATIENCE_MS = 15000
const waiting = new Map()
let line = Promise.resolve()
const asked = new Set()

// Whether an answer with cards is on its way, to a verb or for a part of a board: it may be older than what comes by the stream meanwhile.
export function isAsking() {
  const isOver = (xhr) => xhr.readyState === XMLHttpRequest.DONE || xhr.readyState === XMLHttpRequest.UNSENT // it was aborted
  asked.forEach((xhr) => isOver(xhr) && asked.delete(xhr))
  return [...waiting.keys()].some((key) => bringsCards({ verb: "get", path: key.split(" ")[0] })) || asked.size > 0
}

function bringsCards({ verb, path }) {
  const { pathname } = new URL(path, location.href)
  return verb !== "get" || pathname === "/fresh" || pathname === "/way" || pathname.startsWith("/boards/")
}

document.addEventListener("htmx:beforeSend", ({ detail }) => bringsCards(detail.requestConfig) && asked.add(detail.xhr))
document.addEventListener("htmx:afterRequest", (event) => asked.delete(event.detail.xhr))

// Once what somebody has just done is answered; at once where nothing is on its way.
export function whenAnswered(work) {
  if (!isAsking()) return work()
  document.addEventListener("htmx:afterRequest", () => setTimeout(() => whenAnswered(work)), { once: true })
}

// Fails where the server did: for htmx that is an answer like any other.
async function ask(url, context) {
  let status = 0
  const hear = ({ detail: { requestConfig, xhr } }) => {
    if (requestConfig.path === url && requestConfig.headers["X-Potok-Refresh"]) status = xhr.status
  }
  document.addEventListener("htmx:afterRequest", hear)
  await window.htmx
    .ajax("GET", url, { ...context, headers: { "X-Potok-Refresh": "1" } })
    .finally(() => document.removeEventListener("htmx:afterRequest", hear))
  if (status >= 500) throw new Error(`${url}: ${status}`)
}

export function refresh(url, context) {
  const key = `${url} ${context.target}`
  if (waiting.has(key)) return waiting.get(key)
  const answer = line.then(() => {
    waiting.delete(key)
    return ask(url, context)
  })
  waiting.set(key, answer)
  line = Promise.race([answer.catch(() => {}), line.then(() => new Promise((done) => setTimeout(done, PATIENCE_MS)))])
  return answer
}
