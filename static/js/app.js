// Behaviours: js/behaviors/<name>.js exports attach(element); elements name theirs in data-behavior.
import { attach as board } from "./behaviors/board.js"
import { attach as bulk } from "./behaviors/bulk.js"
import { attach as composer } from "./behaviors/composer.js"
import { attach as copy } from "./behaviors/copy.js"
import { attach as dialogs } from "./behaviors/dialogs.js"
import { attach as dirty } from "./behaviors/dirty.js"
import { attach as draw } from "./behaviors/draw.js"
import { attach as edges } from "./behaviors/edges.js"
import { attach as filter } from "./behaviors/filter.js"
import { attach as livePart } from "./behaviors/live-part.js"
import { attach as mention } from "./behaviors/mention.js"
import { attach as menu } from "./behaviors/menu.js"
import { attach as quick } from "./behaviors/quick.js"
import { attach as select } from "./behaviors/select.js"
import { attach as switchForm } from "./behaviors/switch.js"
import { attach as switcher } from "./behaviors/switcher.js"
import { attach as toasts } from "./behaviors/toasts.js"
import { attach as way } from "./behaviors/way.js"
import { putBack } from "./drafts.js"
import "./focus.js"
import "./keys.js"
import "./live.js"
import "./toasts.js"

const behaviors = { board, bulk, composer, copy, dialogs, dirty, draw, edges, filter, "live-part": livePart, mention, menu, quick, select, switch: switchForm, switcher, toasts, way }
const attached = new WeakSet()

function attachAll(root) {
  const found = root.matches?.("[data-behavior]") ? [root, ...root.querySelectorAll("[data-behavior]")] : root.querySelectorAll("[data-behavior]")
  for (const element of found) {
    if (attached.has(element)) continue
    attached.add(element)
    for (const name of element.dataset.behavior.split(" ")) behaviors[name]?.(element)
  }
}

// While the page is drawn anew, what somebody is typing stays, and so does what they have unfolded. Not Idiomorph's
// ignoreActiveValue: it also keeps the value and the content of a button that was just clicked.
const TYPED = "textarea, input:not([type=button], [type=submit], [type=checkbox], [type=radio], [type=hidden])"
window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => {
  if (name === "value") return node !== document.activeElement || !node.matches(TYPED)
  return name !== "open" || !node.matches("details")
}
document.addEventListener("htmx:load", (event) => attachAll(event.detail.elt))
attachAll(document.body)
putBack()
