// The composer of comments: «@» and a few letters offer the names that begin so; Enter or a click takes one. Ctrl+Enter sends.
export function attach(form) {
  const box = form.querySelector("textarea")
  const names = form.querySelector("[data-names]")
  const at = form.querySelector("[data-at]")
  const begun = () => box.value.slice(0, box.selectionStart).match(/(?:^|[^\p{L}\p{N}_])@([^@\n]{0,40})$/u)?.[1]
  const shown = () => [...names.children].filter((one) => !one.hidden)

  function offer() {
    const letters = begun()?.toLowerCase()
    for (const one of names.children) {
      const name = one.dataset.name.toLowerCase()
      one.hidden = letters === undefined || !name.split(" ").some((_word, place, all) => all.slice(place).join(" ").startsWith(letters))
    }
    names.hidden = !shown().length
  }

  function take(one) {
    const from = box.selectionStart - (begun()?.length ?? 0) - 1
    box.setRangeText(`@${one.dataset.name} `, Math.max(0, from), box.selectionStart, "end")
    box.focus()
    box.dispatchEvent(new Event("input", { bubbles: true }))
  }

  at.hidden = false
  at.addEventListener("click", () => {
    const gap = box.selectionStart && !/\s$/.test(box.value.slice(0, box.selectionStart)) ? " " : ""
    box.setRangeText(`${gap}@`, box.selectionStart, box.selectionEnd, "end")
    box.focus()
    box.dispatchEvent(new Event("input", { bubbles: true }))
  })
  box.addEventListener("input", offer)
  names.addEventListener("click", (event) => {
    const one = event.target.closest("[data-name]")
    if (one) take(one)
  })
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return form.requestSubmit()
    if (names.hidden) return
    const all = shown()
    const here = all.indexOf(document.activeElement)
    if (event.key === "Escape") names.hidden = true
    else if (event.key === "Enter" && event.target === box && begun()) take(all[0])
    else if (event.key === "ArrowDown") all[(here + 1) % all.length].focus()
    else if (event.key === "ArrowUp" && here >= 0) (all[here - 1] ?? box).focus()
    else return
    event.preventDefault()
  })
}
