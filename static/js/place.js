// Puts cards where the server says they stand. A place is {order, status, rank}; status null: this page does not show it.
let held = null
const ahead = new Map()

export function hold() {
  held ??= []
}

export function release() {
  const places = held ?? []
  held = null
  placeAll(places)
}

export function isHeld() {
  return held !== null
}

export function placeAll(places) {
  if (held) held.push(...places)
  else places.forEach(place)
}

// Of an order that the page has moved already, while the server answers, places wait: a live part may still tell an older one.
export function runAhead(order) {
  ahead.set(order, ahead.get(order))
}

// What was told last is true: the answer itself, or what came while there was none.
export function catchUp(order) {
  const last = ahead.get(order)
  ahead.delete(order)
  if (last) placeAll([last])
}

// A card whose move came to nothing: to where the server was heard to say last that it stands, whatever its neighbours have done since.
export function putBack(card) {
  const { order, status } = card.dataset
  const own = { order, status, rank: document.getElementById(`item-${order}`)?.dataset.rank }
  const last = ahead.get(order) ?? own
  ahead.delete(order)
  placeAll([last])
}

function place({ order, status, rank }) {
  if (ahead.has(String(order))) return ahead.set(String(order), { order, status, rank })
  let item = document.getElementById(`item-${order}`)
  const list = status && document.querySelector(`[data-cards="${status}"]`)
  if (!list) return item && takeAway(item)
  if (!item) item = emptyItem(order)
  item.dataset.rank = rank
  const following = [...list.children].find((one) => one !== item && one.dataset.rank > rank)
  const more = list.querySelector(":scope > .more")
  if (!following && more && more.dataset.moreRank < rank) return takeAway(item)
  const before = following ?? more
  if (item.parentElement === list && item.nextElementSibling === (before ?? null)) return
  const focused = item.contains(document.activeElement) ? document.activeElement : null
  list.insertBefore(item, before)
  focused?.focus({ preventScroll: true })
}

// The focus of a card that leaves the page goes to its neighbour, or else to the column.
function takeAway(item) {
  const next = item.contains(document.activeElement) ? (item.nextElementSibling ?? item.previousElementSibling)?.querySelector(".card-link") : null
  const list = next || !item.contains(document.activeElement) ? null : item.parentElement
  item.remove()
  ;(next ?? list)?.focus({ preventScroll: true })
}

// To an order's card where it stands now; where this page does not show it, to the given column.
export function focusOrder(order, options, list) {
  const link = document.querySelector(`#card-order-${order} .card-link`)
  ;(link ?? list)?.focus(options)
}

function emptyItem(order) {
  const item = document.createElement("li")
  item.id = `item-${order}`
  const card = document.createElement("article")
  card.id = `card-order-${order}`
  card.dataset.fresh = ""
  item.append(card)
  return item
}

document.addEventListener("potok:place", (event) => placeAll(event.detail.places))
