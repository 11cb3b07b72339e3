// The cards that are chosen, by the ids of their orders. They stay chosen while the board is drawn anew around them.
const MOST = 100
const ids = new Set()
const tell = () => document.dispatchEvent(new Event("potok:chosen"))

export const card = (id) => document.querySelector(`.board [data-order="${id}"]`)
export const isChosen = (id) => ids.has(id)
export const count = () => ids.size

// In the order in which they stand on the board.
export const cards = () => [...document.querySelectorAll(".board .card[data-selected]")].filter(({ dataset }) => ids.has(dataset.order))

// «17:3,18:1», as the server reads it.
export const pairs = () => cards().map(({ dataset }) => `${dataset.order}:${dataset.version}`).join(",")

export function choose(id, isOn = !ids.has(id)) {
  if (isOn && ids.size < MOST) ids.add(id)
  else ids.delete(id)
  show()
}

export function clear() {
  ids.clear()
  show()
}

// Marks the cards as they stand now; who has left the page is chosen no more.
export function show() {
  for (const id of [...ids]) if (!card(id)) ids.delete(id)
  for (const one of document.querySelectorAll(".board .card:has([data-tick])")) {
    const isOn = ids.has(one.dataset.order)
    one.toggleAttribute("data-selected", isOn)
    one.querySelector("[data-tick]").checked = isOn
  }
  document.querySelector(".board")?.toggleAttribute("data-selecting", ids.size > 0)
  tell()
}
