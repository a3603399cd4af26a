#!/usr/bin/env bash
# Times the encrypted ResNet-20 of LowMemoryFHEResNet20 (C++ on OpenFHE, its own weights) on one 32 x 32 image.
#
#   resnet20.sh --program FOLDER [--experiment 1] [--image inputs/luis.png] [--threads 2] [--allocator LIBRARY]
#                       [--label TEXT] [--keep-keys]
#
# FOLDER is a built checkout that lies outside this repository: the program is FOLDER/build/LowMemoryFHEResNet20, and finds
# its weights, images and keys one folder up. Needs GNU time (Debian: time), 24 GB of disk for the keys, and more than 17 GB of
# memory.
#
# Keys are made in one process and used in another, as the program wants it. Every line of output is a JSON object: what was run
# ("ready"), making the keys ("keys"), and the inference ("inference"), in seconds and bytes. Of the inference, `seconds` is the
# program's own figure less the keys and tables it loads between layers while its clock runs: what a server with room for all of
# them would take. Parsing the weights from text, a decryption before every ReLU and the last layer's keys, which it loads
# untimed, are still in that figure. `measuredSeconds` is its own figure as it is, `processSeconds` the whole process. A wrong
# class is no error here: `class` says which it was.
set -euo pipefail

program= experiment=1 image=inputs/luis.png threads=2 allocator= label=openfhe keep=
while [ $# -gt 0 ]; do
  case $1 in
    --program) program=$2 && shift ;;
    --experiment) experiment=$2 && shift ;;
    --image) image=$2 && shift ;;
    --threads) threads=$2 && shift ;;
    --allocator) allocator=$2 && shift ;;
    --label) label=$2 && shift ;;
    --keep-keys) keep=yes ;;
    *) echo "resnet20: unknown option $1" >&2 && exit 2 ;;
  esac
  shift
done
[ -x "$program/build/LowMemoryFHEResNet20" ] || { echo "resnet20: --program FOLDER, with build/LowMemoryFHEResNet20 in it" >&2; exit 2; }
program=$(cd "$program" && pwd)
keys=$program/keys_exp$experiment

folder=$(mktemp -d)
trap 'rm -rf "$folder"; [ -n "$keep" ] || rm -rf "$keys"' EXIT
mkdir -p "$program/checkpoints" # where it keeps ciphertexts between layers; it does not make the folder itself

# OpenFHE reads the number of threads while it is loaded. Waiting threads sleep: spinning ones take the processor from each other.
measured() { # NAME ARGUMENTS...: the program's output in NAME.out, what it took in NAME.time
  local name=$1
  shift
  (cd "$program/build" && OMP_NUM_THREADS=$threads OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive} \
    command time -o "$folder/$name.time" -f '%e %U %S %M' \
    env ${allocator:+LD_PRELOAD="$allocator"} ./LowMemoryFHEResNet20 "$@" verbose 2 >"$folder/$name.out") ||
    { echo "resnet20: $name failed" >&2 && tail -n 3 "$folder/$name.out" >&2 && exit 1; }
}

printf '{"metric":"ready","peer":"%s","task":"resnet20","experiment":%d,"image":"%s","threads":%d,"allocator":"%s","load":"%s"}\n' \
  "$label" "$experiment" "$image" "$threads" "${allocator:-default}" "$(cut -d' ' -f1-3 /proc/loadavg)"

if [ -d "$keys" ]; then
  keep=yes # made by an earlier run: not ours to remove
else
  measured keys generate_keys "$experiment"
  read -r wall user system peak <"$folder/keys.time"
  awk -v wall="$wall" -v cpu="$(awk "BEGIN { print $user + $system }")" -v peak="$peak" -v bytes="$(du -sb "$keys" | cut -f1)" \
    'BEGIN { printf "{\"metric\":\"keys\",\"seconds\":%.1f,\"cpuSeconds\":%.1f,\"peakBytes\":%.0f,\"keyFileBytes\":%.0f}\n", wall, cpu, peak * 1024, bytes }'
fi

measured inference load_keys "$experiment" input "$image"
read -r wall user system peak <"$folder/inference.time"
# Its times are "seconds:milliseconds" or "minutes.seconds:milliseconds", the last without leading zeros.
sed 's/\x1b\[[0-9;]*m//g' "$folder/inference.out" |
  awk -v wall="$wall" -v cpu="$(awk "BEGIN { print $user + $system }")" -v peak="$peak" '
    function seconds(text, parts, whole) {
      sub(/^.*\): */, "", text)
      sub(/^.*took: *\)?:? */, "", text)
      sub(/s? *(\(Total.*)?$/, "", text)
      split(text, parts, ":")
      if (split(parts[1], whole, ".") == 2) parts[1] = 60 * whole[1] + whole[2]
      return parts[1] + parts[2] / 1000
    }
    /^⌛\(Loading/ { loading += seconds($0); if (started) within += seconds($0) }
    /^⌛\(Initial layer/ { started = 1; convolutions += seconds($0) }
    /^⌛\(Block|^⌛\(Layer [0-9]+ - |^⌛\(Block.*convbn/ { convolutions += seconds($0) }
    /^⌛\(Bootstrapping/ && started { bootstraps++; bootstrapping += seconds($0) }
    /^⌛\(ReLU/ { relus++; activation += seconds($0) }
    /^⌛\(The evaluation of the whole circuit/ { total = seconds($0) }
    /^Precision: / { bits = $2 }
    /^The input image is classified as/ { class = $NF }
    END {
      if (!total) exit 1
      printf "{\"metric\":\"inference\",\"seconds\":%.1f,\"measuredSeconds\":%.1f,\"processSeconds\":%.1f,\"cpuSeconds\":%.1f,", total - within, total, wall, cpu
      printf "\"keyLoadingSeconds\":%.1f,\"bootstraps\":%d,\"bootstrapSeconds\":%.1f,\"relus\":%d,\"reluSeconds\":%.1f,\"convolutionSeconds\":%.1f,", loading, bootstraps, bootstrapping, relus, activation, convolutions
      printf "\"bootstrapBits\":%.1f,\"class\":\"%s\",\"peakBytes\":%.0f}\n", bits, class, peak * 1024
    }'
