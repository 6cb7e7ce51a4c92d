/** Short messages for eyes and screen readers alike, gone after a while. */

import { signal } from '@preact/signals';

const message = signal('');
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string): void {
  message.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    message.value = '';
  }, 3000);
}

export function Announcer() {
  return (
    <p class={message.value === '' ? 'announcer' : 'announcer shown'} role="status">
      {message.value}
    </p>
  );
}
