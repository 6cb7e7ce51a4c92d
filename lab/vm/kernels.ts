/** The kernels of the matrix, and where Debian keeps them. */

export interface Series {
  /** As users call it. */
  readonly name: string;
  /** What the release of such a kernel begins with. */
  readonly prefix: string;
  /** Suite of Debian's archive. Old suites leave the mirrors some day; the kernel is skipped then. */
  readonly suite: string;
}

/** Oldest first. */
export const SERIES: readonly Series[] = [
  { name: '5.10', prefix: '5.10.', suite: 'bullseye-security' },
  { name: '6.1', prefix: '6.1.', suite: 'bookworm-security' },
  { name: '6.12', prefix: '6.12.', suite: 'bookworm-security' },
  { name: '6.18', prefix: '6.18.', suite: 'trixie-backports' },
  { name: '7.x', prefix: '7.', suite: 'trixie-backports' },
];

/** An unpacked kernel. */
export interface Kernel {
  readonly series: string;
  /** As `uname -r` prints it. */
  readonly release: string;
  /** Holds boot/, lib/ or usr/lib/ of its packages. */
  readonly tree: string;
}

const IMAGE = /^linux-image-(\d.*-cloud-amd64)$/;

/** Releases of one series among package names, newest first. */
export function releasesOf({ prefix }: Series, packages: readonly string[]): string[] {
  return packages
    .flatMap((name) => IMAGE.exec(name)?.[1] ?? [])
    .filter((release) => release.startsWith(prefix))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

/**
 * The packages of an image, each as `name=version`: from 6.19 on the image itself is empty and its files lie in
 * linux-base- (which modules are built in), linux-binary- and linux-modules-RELEASE.
 *
 * @param record what `apt-cache show` prints of the image
 */
export function packagesOf(release: string, record: string): string[] {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(record)?.[1] ?? '';
  const parts = field('Depends')
    .split(',')
    .flatMap((dependency) => {
      const match = /^\s*(linux-(?:base|binary|modules)-(\S+)) \(= (\S+)\)\s*$/.exec(dependency);
      return match?.[2] === release ? [`${match[1]}=${match[3]}`] : [];
    });
  return [`linux-image-${release}=${field('Version')}`, ...parts];
}
