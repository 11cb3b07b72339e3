// The region that toasts are appended to. It lasts as long as the page; each toast lives as long as it says, counts down where
// messages wait, and waits itself while hovered or focused. A newer toast about the same thing takes the place of the older one.
export function attach(region) {
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) => begin(region, node)))).observe(region, { childList: true })
  region.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest(".toast").remove())
  region.addEventListener("htmx:afterRequest", (event) => event.detail.successful && event.detail.elt.closest(".toast")?.remove())
  for (const toast of [...region.children]) begin(region, toast)
}

function begin(region, toast) {
  if (!(toast instanceof Element)) return
  if (!toast.matches(".toast")) return toast.replaceWith(...toast.children) // out of the wrapper that htmx keeps where a morph extension is on
  for (const older of [...region.children]) if (older !== toast && isOver(older, toast)) older.remove()
  window.htmx.process(toast) // now: a hand may be faster than htmx, and the form would leave the page
  toast.scrollIntoView({ block: "nearest" })
  live(toast)
}

// The same thing said again, or a refusal of an order that has been moved since.
function isOver(older, newer) {
  return about(older) === about(newer) || (newer.dataset.of && older.dataset.of === newer.dataset.of.replace("order-", "refused-"))
}

function about(toast) {
  return toast.dataset.of || toast.textContent.replace(/\s+/g, " ").trim()
}

function live(toast) {
  const whole = Number(toast.dataset.seconds)
  const counts = toast.dataset.counts === "1"
  const end = performance.now() + whole * 1000
  const ring = toast.querySelector("[data-ring]")
  const count = toast.querySelector("[data-count]")
  let pointed = false // by a pointer that moves: one that rested where the toast appeared means nothing
  toast.addEventListener("pointermove", () => (pointed = true))
  toast.addEventListener("pointerleave", () => (pointed = false))
  const tick = setInterval(() => {
    if (!toast.isConnected) return clearInterval(tick)
    const left = Math.max(0, (end - performance.now()) / 1000)
    if (counts) {
      count.textContent = Math.ceil(left)
      ring?.setAttribute("stroke-dasharray", `${(left / whole) * 100} 100`)
    }
    if (left > 0 || pointed || toast.matches(":focus-within")) return
    clearInterval(tick)
    toast.remove()
  }, 200)
}
