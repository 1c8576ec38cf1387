// Starts what the page has. Everything here only makes better what works without it.
import { startComposer, startDraft } from "./composer.js";
import { startConversation } from "./conversation.js";
import { startDialogs } from "./dialog.js";
import { startForms } from "./forms.js";
import { startKana } from "./kana.js";
import { startMenus } from "./menus.js";
import { startPhone } from "./phone.js";
import { startRows } from "./rows.js";
import { startToasts } from "./toast.js";

document.documentElement.classList.add("js");

startMenus();
startDialogs();
startToasts();
startRows();
startForms();
startKana();
const conversation = startConversation();
startComposer(conversation);
startDraft();
startPhone();
