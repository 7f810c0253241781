import { told } from '../api/client';

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}

/** How long a word stays; one that can be acted upon stays longer. */
const STAY = 4000;
const STAY_TO_ACT = 10_000;

class Toasts {
  all = $state<Toast[]>([]);
  private next = 1;

  say(text: string, action?: Toast['action']): void {
    this.add({ text, bad: false, ...(action ? { action } : {}) });
  }

  /** Tells what went wrong. */
  fail(error: unknown): void {
    const text = typeof error === 'string' ? error : told(error);
    if (text) this.add({ text, bad: true });
  }

  remove(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  private add(toast: Omit<Toast, 'id'>): void {
    const id = this.next++;
    this.all = [...this.all.slice(-2), { ...toast, id }];
    setTimeout(() => this.remove(id), toast.action || toast.bad ? STAY_TO_ACT : STAY);
  }
}

export const toasts = new Toasts();
