// A toast lives as long as it says, counts down where letters wait, and waits itself while hovered or focused.
export function attach(toast) {
  const whole = Number(toast.dataset.seconds)
  const counts = toast.dataset.counts === "1"
  const end = Date.now() + whole * 1000
  const ring = toast.querySelector("[data-ring]")
  const count = toast.querySelector("[data-count]")
  const tick = setInterval(() => {
    if (!toast.isConnected) return clearInterval(tick)
    const left = Math.max(0, (end - Date.now()) / 1000)
    if (counts) {
      count.textContent = Math.ceil(left)
      ring?.setAttribute("stroke-dasharray", `${(left / whole) * 100} 100`)
    }
    if (left > 0 || toast.matches(":hover, :focus-within")) return
    clearInterval(tick)
    toast.remove()
  }, 200)
  toast.querySelector("[data-close]")?.addEventListener("click", () => toast.remove())
}
