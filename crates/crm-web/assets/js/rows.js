// Lists: a click anywhere on a row opens it, and the arrow keys walk through the rows.

export function startRows() {
  for (const table of document.querySelectorAll("[data-rows]")) {
    const rows = [...table.querySelectorAll("tr[data-href]")];
    rows.forEach((row, index) => {
      row.tabIndex = index === 0 ? 0 : -1;
      row.addEventListener("click", (event) => open(row, event));
      row.addEventListener("auxclick", (event) => event.button === 1 && open(row, event));
      row.addEventListener("keydown", (event) => walk(rows, index, event));
    });
    document.addEventListener("keydown", (event) => {
      if (event.target !== document.body || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
      event.preventDefault();
      rows[0]?.focus();
    });
  }
}

function open(row, event) {
  if (event.target.closest("a, button, input, select, label, form") || getSelection().toString()) return;
  if (event.ctrlKey || event.metaKey || event.button === 1) window.open(row.dataset.href, "_blank", "noopener");
  else location.assign(row.dataset.href);
}

function walk(rows, index, event) {
  if (event.target !== rows[index]) return;
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    const row = rows[Math.min(Math.max(next, 0), rows.length - 1)];
    rows.forEach((other) => (other.tabIndex = other === row ? 0 : -1));
    row.focus();
  } else if (event.key === "Enter") {
    location.assign(rows[index].dataset.href);
  }
}
