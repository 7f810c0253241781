import { language } from '../words/language.svelte';
import { toasts } from './toasts.svelte';

/** Copies text and says so. Over plain http to another machine browsers offer no clipboard, but the old way works. */
export async function copy(text: string, said = language.words.common.copied): Promise<boolean> {
  const done = (await modern(text)) || old(text);
  if (done) toasts.say(said);
  else toasts.fail(language.words.common.copyFailed);
  return done;
}

async function modern(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function old(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'unseen';
  // Inside an open dialog, or the focus would not be let out to it.
  const host = document.activeElement?.closest('dialog') ?? document.body;
  const before = document.activeElement;
  host.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
