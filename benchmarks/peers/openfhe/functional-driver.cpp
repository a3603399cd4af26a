// Times OpenFHE's functional bootstrapping (EvalFBT and EvalMVB, "CKKS functional
// bootstrapping for RLWE ciphertexts") for the functional-bootstrap benchmark.
//
// A process of its own, like the other drivers: one line "ready", then one line
// for every repetition. A repetition encrypts fresh random integers below
// --points, one in each coefficient of the ring, converts them to CKKS, looks all
// of them up under the clock, converts back, decrypts, and counts wrong results.
//
// The functions are the benchmark's steps, or random tables with values on all
// points. Results are integers modulo the points as well, so that they could be
// looked up again.

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "driver.h"
#include "math/hermite.h"
#include "schemelet/rlwe-mp.h"
#include "secret.h"

namespace {

using lbcrypto::BigInteger;
using lbcrypto::Ciphertext;
using lbcrypto::CryptoContext;
using lbcrypto::DCRTPoly;
using lbcrypto::Poly;
using lbcrypto::SchemeletRLWEMP;
using Integers = std::vector<int64_t>;
using Coefficients = std::vector<std::complex<double>>;

enum class Function { kStep, kTable };

struct Options {
  uint32_t logN = 16;
  uint32_t points = 16;
  Function function = Function::kStep;
  uint32_t functions = 1;
  uint32_t levels = 0;  // left after the bootstrap
  uint32_t order = 1;   // of the interpolation
  uint64_t scale = 0;   // that the coefficients are divided by; 0: see scale()
  uint32_t dnum = 3;
  uint32_t encodingBudget = 4;
  uint32_t decodingBudget = 4;
  uint32_t primeBits = 38;       // of the primes, and log2 of the modulus of the integers
  uint32_t encryptionBits = 60;  // log2 of the modulus that integers are encrypted with
  int threads = 1;
  int repetitions = 0;
  driver::Secret secret = driver::Secret::kDenseEncapsulated;
  bool insecure = false;
};

Function parseFunction(const std::string& text) {
  if (text == "step") return Function::kStep;
  if (text == "table") return Function::kTable;
  throw std::invalid_argument("--function: step or table, got " + text);
}

Options parse(int argc, char** argv) {
  Options o;
  driver::parse(argc, argv,
                {{
                     {"--log-n", [&](const std::string& v) { o.logN = std::stoul(v); }},
                     {"--points", [&](const std::string& v) { o.points = std::stoul(v); }},
                     {"--function", [&](const std::string& v) { o.function = parseFunction(v); }},
                     {"--functions", [&](const std::string& v) { o.functions = std::stoul(v); }},
                     {"--levels", [&](const std::string& v) { o.levels = std::stoul(v); }},
                     {"--order", [&](const std::string& v) { o.order = std::stoul(v); }},
                     {"--scale", [&](const std::string& v) { o.scale = std::stoull(v); }},
                     {"--dnum", [&](const std::string& v) { o.dnum = std::stoul(v); }},
                     {"--encoding-budget", [&](const std::string& v) { o.encodingBudget = std::stoul(v); }},
                     {"--decoding-budget", [&](const std::string& v) { o.decodingBudget = std::stoul(v); }},
                     {"--prime-bits", [&](const std::string& v) { o.primeBits = std::stoul(v); }},
                     {"--encryption-bits", [&](const std::string& v) { o.encryptionBits = std::stoul(v); }},
                     {"--threads", [&](const std::string& v) { o.threads = std::stoi(v); }},
                     {"--repetitions", [&](const std::string& v) { o.repetitions = std::stoi(v); }},
                     {"--secret", [&](const std::string& v) { o.secret = driver::parseSecret(v); }},
                 },
                 {
                     {"--insecure-ring", [&] { o.insecure = true; }},
                 }});
  if (o.points < 8 || (o.points & (o.points - 1)) != 0)
    throw std::invalid_argument("--points: a power of two from 8, got " + std::to_string(o.points));
  if (o.functions < 1) throw std::invalid_argument("--functions: at least one");
  return o;
}

/** The coefficients should be at most about 1: what OpenFHE's own parameter lists take for tables and for steps. */
uint64_t scale(const Options& options) {
  if (options.scale > 0) return options.scale;
  return options.function == Function::kTable ? 2 * options.points : std::max(1u, options.points / 2);
}

/** What becomes of 0 to points - 1. The upper half of the points stands for negative ones. */
Integers makeTable(const Options& options, uint32_t which, std::mt19937_64& random) {
  const int64_t points = options.points;
  const int64_t threshold = 2 * (which % 4) + 2 - points / 4;
  std::uniform_int_distribution<int64_t> any(0, points - 1);
  Integers table;
  for (int64_t i = 0; i < points; i++)
    table.push_back(options.function == Function::kTable ? any(random)
                                                         : (i < points / 2 ? i : i - points) >= threshold);
  return table;
}

Coefficients interpolate(const Options& options, const Integers& table) {
  return lbcrypto::GetHermiteTrigCoefficients([&](int64_t x) { return table.at(x); }, options.points, options.order,
                                              static_cast<double>(scale(options)));
}

uint32_t depth(const Options& options, const Coefficients& coefficients) {
  const std::vector<uint32_t> budgets = {options.encodingBudget, options.decodingBudget};
  return options.levels + lbcrypto::FHECKKSRNS::GetFBTDepth(budgets, coefficients, BigInteger(options.points),
                                                            options.order, driver::distribution(options.secret));
}

CryptoContext<DCRTPoly> makeContext(const Options& options, uint32_t depth) {
  lbcrypto::CCParams<lbcrypto::CryptoContextCKKSRNS> parameters;
  parameters.SetSecurityLevel(options.insecure ? lbcrypto::HEStd_NotSet : lbcrypto::HEStd_128_classic);
  parameters.SetRingDim(1u << options.logN);
  parameters.SetBatchSize(1u << (options.logN - 1));
  parameters.SetSecretKeyDist(driver::distribution(options.secret));
  parameters.SetKeySwitchTechnique(lbcrypto::HYBRID);
  parameters.SetNumLargeDigits(options.dnum);
  parameters.SetScalingTechnique(lbcrypto::FIXEDMANUAL);
  parameters.SetScalingModSize(options.primeBits);
  parameters.SetFirstModSize(options.primeBits);
  parameters.SetMultiplicativeDepth(depth);
  auto context = lbcrypto::GenCryptoContext(parameters);
  for (auto feature : {lbcrypto::PKE, lbcrypto::KEYSWITCH, lbcrypto::LEVELEDSHE, lbcrypto::ADVANCEDSHE, lbcrypto::FHE})
    context->Enable(feature);
  return context;
}

/** Of one repetition. */
struct Outcome {
  driver::Elapsed lookUp;
  /** Both conversions, which the figure of the bootstrap leaves out. */
  double conversionMicroseconds = 0;
  uint64_t wrong = 0;
  /** Half a step over the standard deviation of the results' errors. */
  double margin = 0;
};

class FunctionalBootstrapping {
 public:
  explicit FunctionalBootstrapping(const Options& options) : options_(options) {
    for (uint32_t i = 0; i < options.functions; i++) {
      tables_.push_back(makeTable(options, i, random_));
      coefficients_.push_back(interpolate(options, tables_.back()));
      if (coefficients_[i].size() != coefficients_[0].size())
        throw std::runtime_error("the functions are of different degrees, and cannot share their powers");
    }
    depth_ = depth(options, coefficients_[0]);
    context_ = makeContext(options, depth_);
    keySeconds_ = seconds([&] { keys_ = driver::makeKeys(options.secret, context_); });
    setupSeconds_ = seconds([&] {
      context_->EvalFBTSetup(coefficients_[0], slots(), points(), points(), modulus(), keys_.publicKey, {0, 0},
                             {options.encodingBudget, options.decodingBudget}, options.levels, 0, options.order);
    });
    keySeconds_ += seconds([&] {
      context_->EvalMultKeyGen(keys_.secretKey);
      context_->EvalBootstrapKeyGen(keys_.secretKey, slots());
    });
    lowest_ = SchemeletRLWEMP::GetElementParams(keys_.secretKey, depth_);
    peakWithKeyGeneration_ = driver::peakBytes();
    driver::resetPeak();
  }

  /** Warm-up and check. */
  void check() {
    first_ = run();
    if (first_.wrong > 0) throw std::runtime_error(std::to_string(first_.wrong) + " values are looked up wrongly");
  }

  void printReady() const {
    std::ostringstream line;
    line << "{\"metric\":\"ready\",\"peer\":\"openfhe " PEER_VERSION "\",\"task\":\"functional-bootstrap\",\"logN\":"
         << options_.logN << ",\"values\":" << values() << ",\"points\":" << options_.points << ",\"function\":\""
         << (options_.function == Function::kTable ? "table" : "step") << "\",\"functions\":" << options_.functions
         << "," << driver::sizesJson(context_) << ",\"primeBits\":" << options_.primeBits
         << ",\"threads\":" << options_.threads << ",\"secret\":\"" << driver::secretName(options_.secret)
         << "\",\"security\":\"" << (options_.insecure ? "not checked" : "128 classical")
         << "\",\"levelsLeft\":" << options_.levels << ",\"margin\":" << first_.margin
         << ",\"setupSeconds\":" << setupSeconds_ << ",\"keySeconds\":" << keySeconds_
         << ",\"keyBytes\":" << driver::keyBytes(context_, keys_)
         << ",\"peakBytesWithKeyGeneration\":" << peakWithKeyGeneration_ << ",\"peakBytes\":" << driver::peakBytes()
         << "}";
    std::cout << line.str() << std::endl;
  }

  void repetition() {
    const auto outcome = run();
    std::cout << "{\"metric\":\"functional-bootstrap\",\"us\":" << std::llround(outcome.lookUp.wallMicroseconds)
              << ",\"cpuUs\":" << std::llround(outcome.lookUp.cpuMicroseconds)
              << ",\"conversionUs\":" << std::llround(outcome.conversionMicroseconds)
              << ",\"wrong\":" << outcome.wrong << ",\"margin\":" << outcome.margin
              << ",\"peakBytes\":" << driver::peakBytes() << "}" << std::endl;
  }

 private:
  /** Integers of one ciphertext: one in each coefficient, the real and the imaginary part of each slot. */
  uint32_t values() const { return 1u << options_.logN; }
  uint32_t slots() const { return values() / 2; }
  BigInteger points() const { return BigInteger(options_.points); }
  BigInteger modulus() const { return BigInteger(1) << options_.primeBits; }
  uint32_t pointBits() const { return static_cast<uint32_t>(std::lround(std::log2(options_.points))); }

  static double seconds(const std::function<void()>& work) { return driver::elapsed(work).wallMicroseconds / 1e6; }

  Outcome run() {
    std::uniform_int_distribution<int64_t> any(0, options_.points - 1);
    Integers input(values());
    for (auto& value : input) value = any(random_);
    const auto encrypted = encrypt(input);

    Outcome outcome;
    Ciphertext<DCRTPoly> converted;
    outcome.conversionMicroseconds += 1e6 * seconds([&] {
      converted =
          SchemeletRLWEMP::ConvertRLWEToCKKS(*context_, encrypted, keys_.publicKey, modulus(), slots(), depth_);
    });
    std::vector<Ciphertext<DCRTPoly>> results;
    outcome.lookUp = driver::elapsed([&] { results = lookUp(converted); });
    double square = 0;
    for (uint32_t i = 0; i < options_.functions; i++) {
      std::vector<Poly> integers;
      outcome.conversionMicroseconds +=
          1e6 * seconds([&] { integers = SchemeletRLWEMP::ConvertCKKSToRLWE(results[i], modulus()); });
      compare(input, tables_[i], integers, outcome.wrong, square);
    }
    outcome.margin = 0.5 / std::sqrt(square / values() / options_.functions);
    return outcome;
  }

  std::vector<Ciphertext<DCRTPoly>> lookUp(const Ciphertext<DCRTPoly>& input) const {
    const auto& initialScaling = lowest_->GetModulus();
    if (options_.functions == 1)
      return {context_->EvalFBT(input, coefficients_[0], pointBits(), initialScaling, scale(options_), 0,
                                options_.order)};
    const auto powers =
        context_->EvalMVBPrecompute(input, coefficients_[0], pointBits(), initialScaling, options_.order);
    std::vector<Ciphertext<DCRTPoly>> results;
    for (const auto& coefficients : coefficients_)
      results.push_back(context_->EvalMVB(powers, coefficients, pointBits(), scale(options_), 0, options_.order));
    return results;
  }

  /** With the larger modulus first, which makes the encryption's own error small. */
  std::vector<Poly> encrypt(const Integers& input) const {
    const BigInteger large = BigInteger(1) << options_.encryptionBits;
    auto encrypted = SchemeletRLWEMP::EncryptCoeff(input, large, points(), keys_.secretKey, lowest_);
    SchemeletRLWEMP::ModSwitch(encrypted, modulus(), large);
    return encrypted;
  }

  /** Decrypts to parts of a step, so that errors can be told from rounding. */
  void compare(const Integers& input, const Integers& table, const std::vector<Poly>& results, uint64_t& wrong,
               double& square) const {
    constexpr int64_t kParts = 1 << 12;
    const int64_t period = kParts * options_.points;
    const auto got = SchemeletRLWEMP::DecryptCoeff(results, modulus(), BigInteger(static_cast<uint64_t>(period)),
                                                   keys_.secretKey, lowest_, slots(), values());
    for (uint32_t i = 0; i < values(); i++) {
      int64_t difference = (got[i] - kParts * table[input[i]]) % period;
      if (difference < 0) difference += period;
      if (2 * difference > period) difference -= period;
      const double error = static_cast<double>(difference) / kParts;
      square += error * error;
      if (!(std::abs(error) < 0.5)) wrong++;
    }
  }

  Options options_;
  std::mt19937_64 random_{1};
  std::vector<Integers> tables_;
  std::vector<Coefficients> coefficients_;
  uint32_t depth_ = 0;
  CryptoContext<DCRTPoly> context_;
  lbcrypto::KeyPair<DCRTPoly> keys_;
  std::shared_ptr<lbcrypto::ILDCRTParams<BigInteger>> lowest_;
  double setupSeconds_ = 0;
  double keySeconds_ = 0;
  uint64_t peakWithKeyGeneration_ = 0;
  Outcome first_;
};

}  // namespace

int main(int argc, char** argv) {
  return driver::reportErrors("functional-driver", [&] {
    const Options options = parse(argc, argv);
    driver::restartWithThreads(options.threads, argv);
    FunctionalBootstrapping bootstrapping(options);
    bootstrapping.check();
    bootstrapping.printReady();
    driver::repeat(options.repetitions, [&] { bootstrapping.repetition(); });
  });
}
