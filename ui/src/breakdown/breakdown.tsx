/** Tables of whom it hit, why and where, for the chosen period and filters. */

import { Table } from './table.tsx';

export function Breakdown() {
  return (
    <div class="tables">
      <Table by="process" title="Processes" />
      <Table by="container" title="Containers" />
      <Table by="peer" title="Peers" />
      <Table by="reason" title="Reasons of drops and resets" />
      <Table by="location" title="Places in the kernel" />
      <Table by="cause" title="Causes of retransmissions" />
      <Table by="netns" title="Network namespaces" />
    </div>
  );
}
