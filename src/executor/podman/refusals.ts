const file = '/etc/containers/containers.conf (your own: ~/.config/containers/containers.conf)';

/** Refusals of podman whose cure is a setting, the first that fits. */
const cures: readonly (readonly [RegExp, string])[] = [
  [
    /rlimit/i,
    `this machine lets no limit be raised: put default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"] under [containers] in ${file}`,
  ],
  [
    /crun: .*(cgroup|unknown version)|cgroups in hybrid mode|invalid file system type on .\/sys\/fs\/cgroup/i,
    `crun refuses hybrid control groups: put runtime = "runc" under [engine] in ${file}`,
  ],
  [
    /systemd|dbus|sd-bus|user slice/i,
    `no systemd answers here: put cgroup_manager = "cgroupfs" under [engine] in ${file}`,
  ],
  [
    /newuidmap|newgidmap|subuid|subgid/i,
    'install uidmap, and give this user ranges of ids in /etc/subuid and /etc/subgid',
  ],
  [
    /slirp4netns|pasta|\/dev\/net\/tun/i,
    `let this user open /dev/net/tun, or give steps the machine's own network: put netns = "host" under [containers] in ${file}`,
  ],
  [/default OCI runtime .* not found/i, `install crun or runc, and name it as runtime under [engine] in ${file}`],
];

export const explainRefusal = (message: string): string | undefined =>
  cures.find(([pattern]) => pattern.test(message))?.[1];
