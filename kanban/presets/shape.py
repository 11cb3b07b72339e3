"""What has not the right shape in a file, in the reader's words, with its line."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from kanban.i18n import _

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MOST = 60


def words_of(error: "ValidationError", text: str) -> str:
    path = list(error.absolute_path)
    node = _node(yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), path)
    if node is None:
        return _("The file is empty.")
    line, what = node.start_mark.line + 1, _fault(error, node)
    if not path:
        return _("Line %(line)s: %(what)s", line=line, what=what)
    return _("Line %(line)s, %(place)s: %(what)s", line=line, place=".".join(map(str, path)), what=what)


def _node(node: Any, path: Sequence[str | int]) -> Any:
    """What stands at the place, as it is written."""
    for part in path:
        found = [value for key, value in node.value if key.value == part] if isinstance(node, yaml.MappingNode) else [node.value[part]]
        node = found[0]
    return node


def _fault(error: "ValidationError", node: Any) -> str:
    wanted: Any = error.validator_value
    seen: Any = error.instance
    match error.validator:
        case "required":
            return _("“%(what)s” is missing.", what=next(name for name in wanted if name not in seen))
        case "additionalProperties" if wanted is False and isinstance(error.schema, Mapping):
            known = error.schema.get("properties", {})
            return _("unknown key “%(what)s”.", what=str(next(name for name in seen if name not in known))[:MOST])
        case "enum":
            return _(
                "“%(what)s” is not allowed here. Use one of these: %(known)s.", what=str(seen)[:MOST], known=", ".join(map(str, wanted))
            )
    if _wants_text(error.validator, wanted) and isinstance(node, yaml.ScalarNode):
        return _wrong_text(node.value[:MOST], seen)
    kinds = {"array": _("a list is expected here."), "object": _("names with values are expected here.")}
    return kinds.get(wanted if error.validator == "type" else "", str(error.message[:300]))


def _wants_text(validator: Any, wanted: Any) -> bool:
    kinds = wanted if validator in ("oneOf", "anyOf") else [{"type": wanted}] if validator == "type" else []
    return validator == "maxLength" or any(kind.get("type") == "string" for kind in kinds)


def _wrong_text(written: str, seen: Any) -> str:
    if isinstance(seen, bool):
        return _('%(written)s is read as yes or no. If it is meant as text, put it in quotes: "%(written)s".', written=written)
    if isinstance(seen, int | float):
        return _('%(written)s is read as a number. If it is meant as text, put it in quotes: "%(written)s".', written=written)
    return _("text is expected here.") if seen is None else _("this text is too long.")
