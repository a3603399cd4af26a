// Times OpenFHE's bootstrapping for the peers-openfhe benchmark.
//
// A process of its own, like the key-switch driver: it prints one line "ready"
// (sizes, setup and key generation times, levels), and then one line for every
// repetition. Each repetition encrypts fresh random values at the last level
// that OpenFHE accepts, bootstraps them under the clock, decrypts, and compares.
//
// Levels left are counted as products that fit between two bootstraps: the
// levels of the result less those the next bootstrap takes from its input. With
// --chain the count is put to the test: that many products with encrypted ones,
// then another bootstrap, whose precision is printed.

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "driver.h"
#include "secret.h"

namespace {

using lbcrypto::Ciphertext;
using lbcrypto::CryptoContext;
using lbcrypto::DCRTPoly;
using Slots = std::vector<std::complex<double>>;

struct Options {
  uint32_t logN = 16;
  uint32_t logSlots = 0;  // 0: all of them
  uint32_t levels = 9;    // products wanted between two bootstraps
  uint32_t dnum = 3;
  uint32_t encodingBudget = 3;
  uint32_t decodingBudget = 3;
  uint32_t correction = 0;  // 0: OpenFHE's own choice
  int scalingBits = 59;
  int firstBits = 60;
  int threads = 1;
  int repetitions = 0;
  driver::Secret secret = driver::Secret::kUniform;
  lbcrypto::ScalingTechnique scaling = lbcrypto::FLEXIBLEAUTO;
  bool real = false;
  bool slotsToCoeffsFirst = false;
  bool insecure = false;
  bool chain = false;
};

lbcrypto::ScalingTechnique parseScaling(const std::string& text) {
  if (text == "flexible") return lbcrypto::FLEXIBLEAUTO;
  if (text == "fixed") return lbcrypto::FIXEDAUTO;
  throw std::invalid_argument("--scaling: flexible or fixed, got " + text);
}

Options parse(int argc, char** argv) {
  Options o;
  driver::parse(argc, argv,
                {{
                     {"--log-n", [&](const std::string& v) { o.logN = std::stoul(v); }},
                     {"--log-slots", [&](const std::string& v) { o.logSlots = std::stoul(v); }},
                     {"--levels", [&](const std::string& v) { o.levels = std::stoul(v); }},
                     {"--dnum", [&](const std::string& v) { o.dnum = std::stoul(v); }},
                     {"--encoding-budget", [&](const std::string& v) { o.encodingBudget = std::stoul(v); }},
                     {"--decoding-budget", [&](const std::string& v) { o.decodingBudget = std::stoul(v); }},
                     {"--correction", [&](const std::string& v) { o.correction = std::stoul(v); }},
                     {"--scaling-bits", [&](const std::string& v) { o.scalingBits = std::stoi(v); }},
                     {"--first-bits", [&](const std::string& v) { o.firstBits = std::stoi(v); }},
                     {"--threads", [&](const std::string& v) { o.threads = std::stoi(v); }},
                     {"--repetitions", [&](const std::string& v) { o.repetitions = std::stoi(v); }},
                     {"--secret", [&](const std::string& v) { o.secret = driver::parseSecret(v); }},
                     {"--scaling", [&](const std::string& v) { o.scaling = parseScaling(v); }},
                 },
                 {
                     {"--real", [&] { o.real = true; }},
                     {"--slots-to-coeffs-first", [&] { o.slotsToCoeffsFirst = true; }},
                     {"--insecure-ring", [&] { o.insecure = true; }},
                     {"--chain", [&] { o.chain = true; }},
                 }});
  if (o.logSlots == 0) o.logSlots = o.logN - 1;
  return o;
}

/** Levels that a bootstrap takes from its input: one to adjust the scale, and slotsToCoeffs when it comes first. */
uint32_t inputLevels(const Options& options) { return 1 + (options.slotsToCoeffsFirst ? options.decodingBudget : 0); }

/** Levels between the raised modulus and the result, as OpenFHE counts them. */
uint32_t bootstrapDepth(const Options& options) {
  const uint32_t decoding = options.slotsToCoeffsFirst ? 0 : options.decodingBudget;
  return lbcrypto::FHECKKSRNS::GetBootstrapDepth({options.encodingBudget, decoding}, driver::distribution(options.secret));
}

CryptoContext<DCRTPoly> makeContext(const Options& options) {
  lbcrypto::CCParams<lbcrypto::CryptoContextCKKSRNS> parameters;
  parameters.SetSecurityLevel(options.insecure ? lbcrypto::HEStd_NotSet : lbcrypto::HEStd_128_classic);
  parameters.SetRingDim(1u << options.logN);
  parameters.SetSecretKeyDist(driver::distribution(options.secret));
  parameters.SetKeySwitchTechnique(lbcrypto::HYBRID);
  parameters.SetNumLargeDigits(options.dnum);
  parameters.SetScalingTechnique(options.scaling);
  parameters.SetScalingModSize(options.scalingBits);
  parameters.SetFirstModSize(options.firstBits);
  parameters.SetCKKSDataType(options.real ? lbcrypto::REAL : lbcrypto::COMPLEX);
  parameters.SetMultiplicativeDepth(options.levels + inputLevels(options) + bootstrapDepth(options));
  auto context = lbcrypto::GenCryptoContext(parameters);
  for (auto feature : {lbcrypto::PKE, lbcrypto::KEYSWITCH, lbcrypto::LEVELEDSHE, lbcrypto::ADVANCEDSHE, lbcrypto::FHE})
    context->Enable(feature);
  return context;
}

/** Uniform in the unit disc, or in [-1, 1]. */
Slots randomSlots(uint32_t count, bool real, std::mt19937_64& random) {
  std::uniform_real_distribution<double> interval(-1, 1);
  Slots values;
  while (values.size() < count) {
    const std::complex<double> value(interval(random), real ? 0 : interval(random));
    if (std::abs(value) <= 1) values.push_back(value);
  }
  return values;
}

struct Precision {
  double meanBits;
  double minBits;
};

/** -log2 of the mean and of the largest error over all slots. */
Precision precision(const Slots& got, const Slots& wanted) {
  double sum = 0;
  double worst = 0;
  for (size_t i = 0; i < wanted.size(); i++) {
    const double error = std::abs(got.at(i) - wanted[i]);
    sum += error;
    worst = std::max(worst, error);
  }
  return {-std::log2(sum / static_cast<double>(wanted.size())), -std::log2(worst)};
}

class Bootstrapping {
 public:
  explicit Bootstrapping(const Options& options) : options_(options), context_(makeContext(options)) {
    const uint32_t slots = slotCount();
    setupSeconds_ = seconds([&] {
      context_->EvalBootstrapSetup({options.encodingBudget, options.decodingBudget}, {0, 0}, slots, options.correction,
                                   true, options.slotsToCoeffsFirst);
    });
    keySeconds_ = seconds([&] {
      keys_ = driver::makeKeys(options.secret, context_);
      context_->EvalMultKeyGen(keys_.secretKey);
      context_->EvalBootstrapKeyGen(keys_.secretKey, slots);
    });
    peakWithKeyGeneration_ = driver::peakBytes();
    driver::resetPeak();
  }

  /** Warm-up and check: one bootstrap, and with --chain another one after as many products as there are levels. */
  void check() {
    const auto values = randomSlots(slotCount(), options_.real, random_);
    auto result = context_->EvalBootstrap(encrypt(values));
    const uint32_t depth = context_->GetCryptoParameters()->GetElementParams()->GetParams().size() - 1;
    const uint32_t left = depth - result->GetLevel() - (result->GetNoiseScaleDeg() - 1);
    if (left < inputLevels(options_)) throw std::runtime_error("no level is left after the bootstrap");
    levelsLeft_ = left - inputLevels(options_);
    first_ = precision(decrypt(result), values);
    if (!(first_.minBits >= 2)) throw std::runtime_error("the result decrypts wrongly");
    if (!options_.chain) return;
    const auto ones = context_->Encrypt(
        keys_.publicKey, context_->MakeCKKSPackedPlaintext(Slots(slotCount(), 1.0), 1, 0, nullptr, slotCount()));
    for (uint32_t i = 0; i < levelsLeft_; i++) result = context_->EvalMult(result, ones);
    chained_ = precision(decrypt(context_->EvalBootstrap(result)), values);
  }

  void printReady() const {
    std::ostringstream line;
    line << "{\"metric\":\"ready\",\"peer\":\"openfhe " PEER_VERSION "\",\"task\":\"bootstrap\",\"logN\":"
         << options_.logN << ",\"slots\":" << slotCount() << "," << driver::sizesJson(context_)
         << ",\"threads\":" << options_.threads << ",\"secret\":\"" << driver::secretName(options_.secret) << "\",\"security\":\""
         << (options_.insecure ? "not checked" : "128 classical") << "\",\"levelsLeft\":" << levelsLeft_
         << ",\"precisionMean\":" << first_.meanBits << ",\"precisionMin\":" << first_.minBits;
    if (options_.chain)
      line << ",\"chainedMean\":" << chained_.meanBits << ",\"chainedMin\":" << chained_.minBits;
    line << ",\"setupSeconds\":" << setupSeconds_ << ",\"keySeconds\":" << keySeconds_
         << ",\"keyBytes\":" << driver::keyBytes(context_, keys_) << ",\"peakBytesWithKeyGeneration\":" << peakWithKeyGeneration_
         << ",\"peakBytes\":" << driver::peakBytes() << "}";
    std::cout << line.str() << std::endl;
  }

  void repetition() {
    const auto values = randomSlots(slotCount(), options_.real, random_);
    const auto input = encrypt(values);
    Ciphertext<DCRTPoly> result;
    const auto time = driver::elapsed([&] { result = context_->EvalBootstrap(input); });
    const auto bits = precision(decrypt(result), values);
    std::cout << "{\"metric\":\"bootstrap\",\"us\":" << std::llround(time.wallMicroseconds)
              << ",\"cpuUs\":" << std::llround(time.cpuMicroseconds) << ",\"precisionMean\":" << bits.meanBits
              << ",\"precisionMin\":" << bits.minBits << ",\"peakBytes\":" << driver::peakBytes() << "}" << std::endl;
  }

 private:
  uint32_t slotCount() const { return 1u << options_.logSlots; }

  static double seconds(const std::function<void()>& work) { return driver::elapsed(work).wallMicroseconds / 1e6; }

  Ciphertext<DCRTPoly> encrypt(const Slots& values) const {
    const uint32_t depth = context_->GetCryptoParameters()->GetElementParams()->GetParams().size() - 1;
    const auto plain =
        context_->MakeCKKSPackedPlaintext(values, 1, depth - inputLevels(options_), nullptr, slotCount());
    return context_->Encrypt(keys_.publicKey, plain);
  }

  Slots decrypt(const Ciphertext<DCRTPoly>& ciphertext) const {
    lbcrypto::Plaintext plain;
    context_->Decrypt(keys_.secretKey, ciphertext, &plain);
    plain->SetLength(slotCount());
    return plain->GetCKKSPackedValue();
  }

  Options options_;
  CryptoContext<DCRTPoly> context_;
  lbcrypto::KeyPair<DCRTPoly> keys_;
  std::mt19937_64 random_{1};
  double setupSeconds_ = 0;
  double keySeconds_ = 0;
  uint64_t peakWithKeyGeneration_ = 0;
  uint32_t levelsLeft_ = 0;
  Precision first_{};
  Precision chained_{};
};

}  // namespace

int main(int argc, char** argv) {
  return driver::reportErrors("bootstrap-driver", [&] {
    const Options options = parse(argc, argv);
    driver::restartWithThreads(options.threads, argv);
    Bootstrapping bootstrapping(options);
    bootstrapping.check();
    bootstrapping.printReady();
    driver::repeat(options.repetitions, [&] { bootstrapping.repetition(); });
  });
}
