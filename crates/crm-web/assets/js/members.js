// メンバーから選ぶ: a dialog over the form in which a member of LINE WORKS is looked for and chosen.
import { isConverting } from "./http.js";

const PAUSE = 200;

export function startMemberChoice() {
  const opener = document.querySelector("[data-choose-member]");
  const dialog = document.getElementById("member-dialog");
  if (!opener || !dialog) return;
  const search = dialog.querySelector("#member-search");
  const list = dialog.querySelector("[data-member-list]");
  const field = document.getElementById(opener.dataset.chooseMember);
  const look = lookUp(dialog, list);
  let waiting = 0;
  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    search.value = "";
    dialog.showModal();
    look("");
  });
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => look(search.value), PAUSE);
  });
  search.addEventListener("keydown", (event) => {
    if (isConverting(event)) return;
    const first = list.querySelector("button");
    if (event.key === "Enter") event.preventDefault();
    if (event.key === "ArrowDown" && first) {
      event.preventDefault();
      first.focus();
    }
  });
  list.addEventListener("keydown", (event) => moveFocus(event, search));
  list.addEventListener("click", (event) => {
    const chosen = event.target.closest("button");
    if (!chosen) return;
    field.value = chosen.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    dialog.close();
    field.focus();
  });
}

function moveFocus(event, search) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const row = event.target.closest("li");
  const next = event.key === "ArrowDown" ? row?.nextElementSibling : row?.previousElementSibling;
  event.preventDefault();
  if (next) next.querySelector("button").focus();
  else if (event.key === "ArrowUp") search.focus();
}

/** Shows what is found for a text; an answer that a later question overtook is thrown away. */
function lookUp(dialog, list) {
  const note = dialog.querySelector("[data-member-note]");
  const problem = dialog.querySelector("[data-member-problem]");
  let asked = 0;
  const say = (key) => (note.textContent = key ? note.dataset[key] : "");
  return async (text) => {
    const number = ++asked;
    if (!list.children.length) say("loading");
    const found = await fetchMembers(text);
    if (number !== asked) return;
    problem.hidden = !found?.problem;
    problem.textContent = found?.problem ?? "";
    list.replaceChildren(...(found?.members ?? []).map((member) => line(member, list.dataset.nameless)));
    if (!found) say("failed");
    else if (found.more) say("more");
    else say(found.members.length || found.problem ? "" : "none");
  };
}

async function fetchMembers(text) {
  try {
    const response = await fetch(`/members/line-works.json?${new URLSearchParams({ q: text })}`, {
      headers: { Accept: "application/json" },
      credentials: "same-origin",
    });
    return response.ok && !response.redirected ? await response.json() : null;
  } catch {
    return null;
  }
}

function line(member, nameless) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.value = member.user_id;
  for (const [name, text] of [
    ["reading", member.kana],
    ["name", member.name || nameless],
    ["login", member.email || member.user_id],
  ]) {
    if (!text) continue;
    const part = document.createElement("span");
    part.className = name;
    part.textContent = text;
    button.append(part);
  }
  row.append(button);
  return row;
}
