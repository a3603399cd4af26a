// What the OpenFHE drivers share: reading options, starting with the right
// number of threads, and repeating a task on demand.

#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

#include "openfhe.h"

namespace driver {

/** Option name to what its value sets. A flag takes no value and is given "". */
struct OptionTable {
  std::map<std::string, std::function<void(const std::string&)>> values;
  std::map<std::string, std::function<void()>> flags;
};

inline void parse(int argc, char** argv, const OptionTable& table) {
  for (int i = 1; i < argc; i++) {
    const std::string name = argv[i];
    if (const auto flag = table.flags.find(name); flag != table.flags.end()) {
      flag->second();
      continue;
    }
    const auto value = table.values.find(name);
    if (value == table.values.end() || i + 1 == argc)
      throw std::invalid_argument("unknown or incomplete option " + name);
    value->second(argv[++i]);
  }
}

/**
 * OpenFHE caches OpenMP's thread count while it is loaded and passes the cached
 * number to each of its loops, so that omp_set_num_threads comes too late: the
 * environment has to be right before the process starts.
 */
inline void restartWithThreads(int threads, char** argv) {
  const std::string wanted = std::to_string(threads);
  const char* present = std::getenv("OMP_NUM_THREADS");
  if (present != nullptr && wanted == present) return;
  setenv("OMP_NUM_THREADS", wanted.c_str(), 1);
  execv("/proc/self/exe", argv);
  throw std::runtime_error("cannot restart with OMP_NUM_THREADS set");
}

struct Elapsed {
  double wallMicroseconds;
  /** User and system time of all threads: what it costs even when the machine has other work. */
  double cpuMicroseconds;
};

inline double cpuMicroseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1e6 * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

inline Elapsed elapsed(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu = cpuMicroseconds();
  work();
  const std::chrono::duration<double, std::micro> wall = std::chrono::steady_clock::now() - start;
  return {wall.count(), cpuMicroseconds() - cpu};
}

/** Repeats `count` times, or, for 0, once for every line "go" on standard input. */
inline void repeat(int count, const std::function<void()>& repetition) {
  for (int i = 0; i < count; i++) repetition();
  if (count > 0) return;
  for (std::string line; std::getline(std::cin, line);)
    if (line == "go") repetition();
}

/** The parts of a "ready" line that all drivers print: sizes as OpenFHE chose them. */
inline std::string sizesJson(const lbcrypto::CryptoContext<lbcrypto::DCRTPoly>& context) {
  const auto rns = std::dynamic_pointer_cast<lbcrypto::CryptoParametersRNS>(context->GetCryptoParameters());
  return "\"limbs\":" + std::to_string(rns->GetElementParams()->GetParams().size()) +
         ",\"special\":" + std::to_string(rns->GetParamsP()->GetParams().size()) +
         ",\"dnum\":" + std::to_string(rns->GetNumPartQ()) +
         ",\"logQP\":" + std::to_string(rns->GetParamsQP()->GetModulus().GetMSB());
}

/** All evaluation keys of a secret: two polynomials modulo QP for each digit. */
inline double keyBytes(const lbcrypto::CryptoContext<lbcrypto::DCRTPoly>& context,
                       const lbcrypto::KeyPair<lbcrypto::DCRTPoly>& keys) {
  double polynomials = 0;
  const auto add = [&](const lbcrypto::EvalKey<lbcrypto::DCRTPoly>& key) {
    for (const auto* parts : {&key->GetAVector(), &key->GetBVector()})
      for (const auto& part : *parts) polynomials += part.GetNumOfElements();
  };
  for (const auto& [element, key] : context->GetEvalAutomorphismKeyMap(keys.secretKey->GetKeyTag())) add(key);
  for (const auto& key : context->GetEvalMultKeyVector(keys.secretKey->GetKeyTag())) add(key);
  return polynomials * context->GetRingDimension() * sizeof(uint64_t);
}

/** Peak resident bytes since the last reset (VmHWM, which Linux lets a process clear). */
inline uint64_t peakBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::stoull(line.substr(6)) * 1024;
  throw std::runtime_error("no VmHWM in /proc/self/status");
}

inline void resetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

/** Ends the program with status 1 and the message of what was thrown. */
inline int reportErrors(const std::string& program, const std::function<void()>& work) {
  try {
    work();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << program << ": " << error.what() << std::endl;
    return 1;
  }
}

}  // namespace driver
