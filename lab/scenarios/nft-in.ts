import { firewall } from '../scenario/firewall.ts';

export default firewall('nft', 'input');
