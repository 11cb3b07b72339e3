// The menu that a [data-menu] link opens: fetched, placed beside its link, closed by Esc or a click elsewhere.
let opener = null

export function attach(menu) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-menu]")
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault()
      open(menu, link)
    }
  })
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target.matches?.("[data-menu]")) {
      event.preventDefault()
      open(menu, event.target)
    }
  })
  menu.addEventListener("toggle", (event) => event.newState === "closed" && leave())
  menu.addEventListener("keydown", (event) => step(menu, event))
  menu.addEventListener("htmx:afterRequest", () => menu.hidePopover())
}

async function open(menu, link) {
  try {
    await window.htmx.ajax("GET", link.dataset.menu, { source: link, target: menu, swap: "innerHTML" })
  } catch {
    return location.assign(link.href)
  }
  opener = link
  link.setAttribute("aria-expanded", "true")
  menu.showPopover()
  const at = link.getBoundingClientRect()
  const left = Math.min(at.left, innerWidth - menu.offsetWidth - 8)
  const below = at.bottom + 4 + menu.offsetHeight <= innerHeight
  menu.style.left = `${Math.max(8, left)}px`
  menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - menu.offsetHeight - 4)}px`
  items(menu)[0]?.focus()
}

function leave() {
  opener?.removeAttribute("aria-expanded")
  if (document.activeElement === document.body) opener?.focus()
  opener = null
}

function step(menu, event) {
  if (!["ArrowDown", "ArrowUp"].includes(event.key)) return
  event.preventDefault()
  const all = items(menu)
  const here = all.indexOf(document.activeElement)
  all[(here + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]?.focus()
}

function items(menu) {
  return [...menu.querySelectorAll("[role=menuitem]")]
}
