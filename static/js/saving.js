// What a card says while its move is on its way: that it is being saved, where that takes longer than a blink, or that it waits for
// the line to come back.
const BLINK_MS = 150
const timers = new Map()

export function begin(card) {
  end(card)
  timers.set(card, setTimeout(() => mark(card, "saving"), BLINK_MS))
}

export function wait(card) {
  end(card)
  mark(card, "offline")
}

export function end(card) {
  clearTimeout(timers.get(card))
  timers.delete(card)
  delete card.dataset.saving
  card.querySelector(".card-saving")?.remove()
}

function mark(card, state) {
  const words = document.getElementById(`card-${state}`)?.content.cloneNode(true)
  card.dataset.saving = state
  if (words) card.querySelector(".card-foot")?.append(words)
}

// Whether a move without an answer waits for the line: away from a desk lines go and come. At a desk it goes back at once.
export const waitsForLine = () => matchMedia("(pointer: coarse)").matches
