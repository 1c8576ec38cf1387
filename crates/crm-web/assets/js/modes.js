// The tabs above the composer: a reply to the customer, or a note for the colleagues.

export function startModes() {
  const box = document.querySelector("[data-composers]");
  if (!box) return;
  const tabs = [...box.querySelectorAll("[role=tab]")];
  const reply = box.querySelector('[data-panel="reply"]');
  const note = box.querySelector('[data-panel="note"]');
  const choose = (mode, focus) => {
    for (const tab of tabs) {
      const chosen = tab.dataset.mode === mode;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    reply.hidden = mode !== "reply";
    note.open = mode === "note";
    if (focus) box.querySelector(`[data-panel="${mode}"] textarea`)?.focus();
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab.dataset.mode, true));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = tabs.find((known) => known !== tab);
      choose(other.dataset.mode, false);
      other.focus();
    });
  }
  choose(note.open ? "note" : "reply", false);
}
