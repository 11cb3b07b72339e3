// The phone's strip of columns: shows which one is in view and how many orders each holds, and brings one there.
export function attach(strip) {
  const links = new Map([...strip.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]))
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const link = links.get(target.id)
        if (isIntersecting) {
          strip.querySelector("[aria-current]")?.removeAttribute("aria-current")
          link.setAttribute("aria-current", "true")
          strip.scrollTo({ left: link.offsetLeft - strip.clientWidth / 2 + link.clientWidth / 2 })
        }
      }
    },
    { threshold: 0.6 },
  )
  for (const id of links.keys()) {
    const column = document.getElementById(id)
    if (column) seen.observe(column)
  }
  strip.addEventListener("click", (event) => {
    const link = event.target.closest("a")
    if (!link) return
    event.preventDefault()
    document.getElementById(link.hash.slice(1))?.scrollIntoView({ inline: "start", block: "nearest" })
  })
  // heads come anew with each move, one's own and others'; where statuses change the whole strip does
  const count = () => {
    if (!strip.isConnected) return leave()
    for (const [id, link] of links) {
      const now = document.getElementById(id)?.querySelector("[data-count]")?.dataset.count
      if (now !== undefined) link.querySelector("[data-count]").textContent = now
    }
  }
  const swaps = ["htmx:oobAfterSwap", "htmx:afterSwap"]
  const leave = () => {
    seen.disconnect()
    swaps.forEach((name) => document.removeEventListener(name, count))
  }
  swaps.forEach((name) => document.addEventListener(name, count))
}
