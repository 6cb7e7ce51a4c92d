/** Keys and meanings. */

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export const isHelpOpen = signal(false);

const KEYS: readonly (readonly [string, string])[] = [
  ['← →', 'earlier, later; along the bars while the time line has the focus'],
  ['+ −', 'zoom in, out'],
  ['0', 'the last hour'],
  ['1 2 3 4', 'breakdown, events, incidents, topology'],
  ['l', 'live, and back'],
  ['/', 'to the filter'],
  ['↑ ↓ Enter', 'in the list of events: choose, open'],
  ['Esc', 'close what is open'],
  ['u', 'local time or UTC'],
  ['t', 'dark or light'],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isHelpOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isHelpOpen.value]);
  const close = (): void => {
    isHelpOpen.value = false;
  };
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">Keys</h2>
      <dl>
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h2>Mouse</h2>
      <p>
        Drag over the bars to zoom in, click one bar to see it alone; drag with Shift, or drag the axis, to move; Ctrl
        and the wheel zoom. A click on any name filters everything by it, another takes the filter away. The back button
        takes each step back.
      </p>
      <h2>Hatched</h2>
      <p>
        There the recorder could not see: it was down, lost events, or only counted them. Nothing drawn on plain ground
        means that nothing was lost; on hatched ground nobody knows.
      </p>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
