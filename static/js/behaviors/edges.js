// What scrolls sideways says on which side there is more, and begins where one is.
export function attach(area) {
  const look = () => {
    area.toggleAttribute("data-before", area.scrollLeft > 1)
    area.toggleAttribute("data-after", area.scrollWidth - area.clientWidth - area.scrollLeft > 1)
  }
  const here = area.querySelector("[aria-current]")?.getBoundingClientRect()
  if (here) area.scrollLeft += here.left + here.width / 2 - innerWidth / 2
  area.addEventListener("scroll", look, { passive: true })
  new ResizeObserver(look).observe(area)
  look()
}
