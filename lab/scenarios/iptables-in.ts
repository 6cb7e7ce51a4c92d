import { firewall } from '../scenario/firewall.ts';

export default firewall('iptables', 'input');
