#!/usr/bin/env bash
# A real Slurm of one host on the loopback, for the tests marked `slurm`: bash .ci/slurm.sh start | stop (as root).
set -euo pipefail
conf="${SLURM_CONF:-/etc/slurm/slurm.conf}"
state=/tmp/neurodecode-slurm

stop() {
    for name in slurmd slurmctld munged; do pkill -x "$name" || true; done
    rm -rf "$state"
}

start() {
    command -v sbatch >/dev/null && command -v munged >/dev/null || {
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq slurm-wlm munge
    }
    host="$(hostname -s)"
    mkdir -p "$(dirname "$conf")" "$state/ctld" "$state/d" /run/munge /var/log/munge
    [ -f /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=1024 status=none
    chown -R munge:munge /etc/munge /run/munge /var/log/munge /var/lib/munge
    chmod 400 /etc/munge/munge.key && chmod 755 /run/munge
    pgrep -x munged >/dev/null || runuser -u munge -- /usr/sbin/munged --force
    cat >"$conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=1
SlurmctldPidFile=$state/ctld.pid
SlurmdPidFile=$state/d.pid
SlurmdSpoolDir=$state/d
StateSaveLocation=$state/ctld
SlurmdLogFile=$state/d.log
SlurmctldLogFile=$state/ctld.log
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=12000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    slurmctld && slurmd
    for _ in $(seq 30); do sinfo -h -o %t 2>/dev/null | grep -q idle && return 0; sleep 1; done
    echo "Slurm did not start; its logs:" && tail -20 "$state"/*.log && return 1
}

"${1:?start or stop}"
