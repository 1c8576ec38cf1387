// While a name is typed by kana conversion, its reading fills itself, until the person edits the reading.
import { toKatakana } from "./forms.js";

const KANA = /^[\u3041-\u3096\u30a1-\u30fa\u30fc\uff66-\uff9f\s]+$/;

// What companies' readings are not ordered by.
const LEGAL_FORMS = ["カブシキ[カガ]イシャ", "ユウゲン[カガ]イシャ", "ゴウドウ[カガ]イシャ", "ゴウシ[カガ]イシャ", "ゴウメイ[カガ]イシャ"];
const BODIES = ["(?:イッパン|コウエキ)(?:シャダン|ザイダン)ホウジン", "イリョウホウジン", "ガッコウホウジン", "シャカイフクシホウジン"];
const ANY_FORM = [...LEGAL_FORMS, ...BODIES].join("|");
const AT_AN_END = new RegExp(`^(?:${ANY_FORM})\\s*|\\s*(?:${ANY_FORM})$`, "g");

export function startKana() {
  for (const group of document.querySelectorAll("[data-kana-for]")) {
    const readings = [...group.querySelectorAll("input")];
    const names = group.dataset.kanaFor.split(" ").map((id) => document.getElementById(id));
    const bare = "kanaCompany" in group.dataset ? (text) => text.replace(AT_AN_END, "") : (text) => text;
    names.forEach((name, index) => name && readings[index] && follow(name, readings[index], bare));
  }
}

function follow(name, reading, bare) {
  let heard = "";
  let own = reading.value !== "";
  const write = (text) => {
    if (!own) reading.value = bare(toKatakana(text.normalize("NFKC")));
  };
  reading.addEventListener("input", () => {
    own = reading.value !== "";
  });
  let spoken = "";
  name.addEventListener("compositionstart", () => {
    spoken = "";
  });
  name.addEventListener("compositionupdate", (event) => {
    const kana = event.data.replace(/[A-Za-z\uff21-\uff3a\uff41-\uff5a]+$/, "");
    if (kana && KANA.test(kana) && kana.length >= spoken.length - 1) spoken = kana;
    write(heard + spoken);
  });
  name.addEventListener("compositionend", (event) => {
    if (!event.data) return;
    heard += KANA.test(event.data) ? event.data : spoken;
    write(heard);
  });
  name.addEventListener("input", (event) => {
    if (name.value === "") {
      heard = "";
      write("");
    } else if (event.isComposing) {
      return;
    } else if (event.inputType === "insertText" && event.data && KANA.test(event.data)) {
      heard += event.data;
      write(heard);
    } else if (KANA.test(name.value)) {
      heard = name.value;
      write(heard);
    }
  });
}
