// Times OpenFHE's key switch and rotation for the peers-openfhe benchmark.
//
// The driver is a process of its own, so that the benchmark can interleave its
// repetitions with ours: it sets everything up, checks that its results are
// right, warms up, prints one "ready" line, and then performs one timed
// repetition for every line "go" on its standard input. All lines it prints are
// JSON objects. With a repetition count it needs no input and just runs.
//
// Metrics: "key-switch" is decompose, modUp, inner product and modDown of one
// polynomial; "rotate" is the same plus the automorphism and OpenFHE's own
// bookkeeping. Bootstrapping has a driver of its own beside this one.

#include <cmath>
#include <cstdint>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "driver.h"

namespace {

using lbcrypto::Ciphertext;
using lbcrypto::CryptoContext;
using lbcrypto::DCRTPoly;

struct Options {
  std::string metric = "key-switch";
  uint32_t logN = 16;
  uint32_t limbs = 24;
  uint32_t dnum = 3;
  int threads = 1;
  int repetitions = 0;  // 0: one repetition per "go"
  int scalingBits = 46;
  int firstBits = 50;
  bool insecure = false;
};

Options parse(int argc, char** argv) {
  Options options;
  driver::parse(argc, argv,
                {{
                     {"--metric", [&](const std::string& v) { options.metric = v; }},
                     {"--log-n", [&](const std::string& v) { options.logN = std::stoul(v); }},
                     {"--limbs", [&](const std::string& v) { options.limbs = std::stoul(v); }},
                     {"--dnum", [&](const std::string& v) { options.dnum = std::stoul(v); }},
                     {"--threads", [&](const std::string& v) { options.threads = std::stoi(v); }},
                     {"--repetitions", [&](const std::string& v) { options.repetitions = std::stoi(v); }},
                     {"--scaling-bits", [&](const std::string& v) { options.scalingBits = std::stoi(v); }},
                     {"--first-bits", [&](const std::string& v) { options.firstBits = std::stoi(v); }},
                 },
                 {{"--insecure-ring", [&] { options.insecure = true; }}}});
  return options;
}

// A 128-bit security level makes OpenFHE refuse a ring too small for its modulus.
// --insecure-ring (HEStd_NotSet) is for quick trials of this program only: the
// time of a key switch does not depend on it, but a recorded figure must not use it.
void setRing(lbcrypto::CCParams<lbcrypto::CryptoContextCKKSRNS>& parameters, const Options& options) {
  parameters.SetSecurityLevel(options.insecure ? lbcrypto::HEStd_NotSet : lbcrypto::HEStd_128_classic);
  parameters.SetRingDim(1u << options.logN);
  parameters.SetSecretKeyDist(lbcrypto::UNIFORM_TERNARY);
  parameters.SetKeySwitchTechnique(lbcrypto::HYBRID);
  parameters.SetNumLargeDigits(options.dnum);
  parameters.SetScalingModSize(options.scalingBits);
  parameters.SetFirstModSize(options.firstBits);
}

std::vector<double> testValues(uint32_t slots) {
  std::vector<double> values(slots);
  for (uint32_t i = 0; i < slots; i++) values[i] = std::cos(0.37 * i + 0.1);
  return values;
}

/** Bits of agreement in the worst slot, where got[i] should be wanted[i + shift]. */
double worstBits(const std::vector<double>& got, const std::vector<double>& wanted, uint32_t shift) {
  double worst = 0;
  for (size_t i = 0; i < wanted.size(); i++)
    worst = std::max(worst, std::abs(got.at(i) - wanted[(i + shift) % wanted.size()]));
  return -std::log2(std::max(worst, 1e-300));
}

struct Task {
  CryptoContext<DCRTPoly> context;
  double precisionBits = 0;
  std::function<void()> repetition;
};

std::vector<double> decryptSlots(const CryptoContext<DCRTPoly>& context, const lbcrypto::PrivateKey<DCRTPoly>& key,
                                 const Ciphertext<DCRTPoly>& ciphertext, uint32_t slots) {
  lbcrypto::Plaintext plain;
  context->Decrypt(key, ciphertext, &plain);
  plain->SetLength(slots);
  return plain->GetRealPackedValue();
}

Task keySwitchTask(const Options& options) {
  lbcrypto::CCParams<lbcrypto::CryptoContextCKKSRNS> parameters;
  setRing(parameters, options);
  // Manual fixed scaling: depth + 1 limbs exactly, none added behind our back.
  parameters.SetScalingTechnique(lbcrypto::FIXEDMANUAL);
  parameters.SetMultiplicativeDepth(options.limbs - 1);
  auto context = lbcrypto::GenCryptoContext(parameters);
  for (auto feature : {lbcrypto::PKE, lbcrypto::KEYSWITCH, lbcrypto::LEVELEDSHE}) context->Enable(feature);

  constexpr int32_t kStep = 5;
  const auto keys = context->KeyGen();
  context->EvalAtIndexKeyGen(keys.secretKey, {kStep});
  const uint32_t slots = context->GetRingDimension() / 2;
  const auto values = testValues(slots);
  const auto input = context->Encrypt(keys.publicKey, context->MakeCKKSPackedPlaintext(values));
  if (input->GetElements()[0].GetNumOfElements() != options.limbs) throw std::runtime_error("limb count differs");

  const auto element = context->FindAutomorphismIndex(kStep);
  const auto key = context->GetEvalAutomorphismKeyMap(keys.secretKey->GetKeyTag()).at(element);

  Task task{context, 0, {}};
  if (options.metric == "rotate") {
    const auto rotated = context->EvalAtIndex(input, kStep);
    task.precisionBits = worstBits(decryptSlots(context, keys.secretKey, rotated, slots), values, kStep);
    task.repetition = [=] { context->EvalAtIndex(input, kStep); };
    return task;
  }
  // OpenFHE switches first and applies the automorphism afterwards: do the same
  // here, outside the timing, to see that the bare switch is a right one.
  const auto scheme = context->GetScheme();
  const auto switched = scheme->KeySwitchCore(input->GetElements()[1], key);
  std::vector<uint32_t> order(context->GetRingDimension());
  lbcrypto::PrecomputeAutoMap(context->GetRingDimension(), element, &order);
  auto moved = input->Clone();
  auto& parts = moved->GetElements();
  parts[0] = (parts[0] + (*switched)[0]).AutomorphismTransform(element, order);
  parts[1] = (*switched)[1].AutomorphismTransform(element, order);
  task.precisionBits = worstBits(decryptSlots(context, keys.secretKey, moved, slots), values, kStep);
  task.repetition = [=] { scheme->KeySwitchCore(input->GetElements()[1], key); };
  return task;
}

void printReady(const Options& options, const Task& task) {
  std::cout << "{\"metric\":\"ready\",\"peer\":\"openfhe " PEER_VERSION "\",\"task\":\"" << options.metric
            << "\",\"logN\":" << options.logN << "," << driver::sizesJson(task.context)
            << ",\"threads\":" << options.threads << ",\"security\":\""
            << (options.insecure ? "not checked" : "128 classical") << "\",\"precisionBits\":" << task.precisionBits
            << "}" << std::endl;
}

void printRepetition(const Options& options, const Task& task) {
  const auto time = driver::elapsed(task.repetition).wallMicroseconds;
  std::cout << "{\"metric\":\"" << options.metric << "\",\"us\":" << std::llround(time) << "}" << std::endl;
}

void run(const Options& options) {
  const Task task = keySwitchTask(options);
  if (!(task.precisionBits >= 4)) throw std::runtime_error("the result decrypts wrongly");
  task.repetition();  // warm-up
  printReady(options, task);
  driver::repeat(options.repetitions, [&] { printRepetition(options, task); });
}

}  // namespace

int main(int argc, char** argv) {
  return driver::reportErrors("key-switch-driver", [&] {
    const Options options = parse(argc, argv);
    driver::restartWithThreads(options.threads, argv);
    run(options);
  });
}
