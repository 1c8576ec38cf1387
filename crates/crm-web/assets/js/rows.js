// Lists: a click anywhere on a row opens it, and the arrow keys walk through the rows. Rows may come and go; several lists
// in one `data-rows-group` are walked through as one.

const ROWS = "[data-rows] tr[data-href]";

export function startRows() {
  settle();
  document.addEventListener("crm:replaced", settle);
  for (const kind of ["click", "auxclick"]) {
    document.addEventListener(kind, (event) => {
      const row = event.target.closest?.(ROWS);
      if (row && (kind === "click" || event.button === 1)) open(row, event);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.matches?.(ROWS)) walk(event.target, event);
    else if (event.target === document.body && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const first = document.querySelector(ROWS);
      if (!first) return;
      event.preventDefault();
      first.focus();
    }
  });
}

function rowsAround(row) {
  return [...(row.closest("[data-rows-group]") ?? row.closest("[data-rows]")).querySelectorAll("tr[data-href]")];
}

/** One row of each list is reached by the tabulator: the one that was last, or the first. */
function settle() {
  const lists = document.querySelectorAll("[data-rows-group], [data-rows]");
  for (const list of lists) {
    if (list.parentElement.closest("[data-rows-group]")) continue;
    const rows = [...list.querySelectorAll("tr[data-href]")];
    const chosen = rows.find((row) => row === document.activeElement) ?? rows.find((row) => row.tabIndex === 0) ?? rows[0];
    for (const row of rows) row.tabIndex = row === chosen ? 0 : -1;
  }
}

function open(row, event) {
  if (event.target.closest("a, button, input, select, label, form") || getSelection().toString()) return;
  if (event.ctrlKey || event.metaKey || event.button === 1) window.open(row.dataset.href, "_blank", "noopener");
  else location.assign(row.dataset.href);
}

function walk(from, event) {
  const rows = rowsAround(from);
  const index = rows.indexOf(from);
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    const row = rows[Math.min(Math.max(next, 0), rows.length - 1)];
    rows.forEach((other) => (other.tabIndex = other === row ? 0 : -1));
    row.focus();
  } else if (event.key === "Enter") {
    location.assign(from.dataset.href);
  }
}
