// The secret whose norm bounds the overflows of a modulus raise, and the one
// that ciphertexts live under.

#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "openfhe.h"

namespace driver {

// "uniform": both uniform ternary. "encapsulated": OpenFHE's SPARSE_ENCAPSULATED,
// weight 32 while the modulus is raised, weight 192 otherwise, which its security
// table, made for uniform ternary secrets, does not cover. "dense-encapsulated":
// weight 32 while the modulus is raised, uniform ternary otherwise.
enum class Secret { kUniform, kEncapsulated, kDenseEncapsulated };

inline Secret parseSecret(const std::string& text) {
  if (text == "uniform") return Secret::kUniform;
  if (text == "encapsulated") return Secret::kEncapsulated;
  if (text == "dense-encapsulated") return Secret::kDenseEncapsulated;
  throw std::invalid_argument("--secret: uniform, encapsulated or dense-encapsulated, got " + text);
}

inline std::string secretName(Secret secret) {
  switch (secret) {
    case Secret::kUniform:
      return "uniform ternary";
    case Secret::kEncapsulated:
      return "weight 192, encapsulated in weight 32";
    default:
      return "uniform ternary, encapsulated in weight 32";
  }
}

inline lbcrypto::SecretKeyDist distribution(Secret secret) {
  return secret == Secret::kUniform ? lbcrypto::UNIFORM_TERNARY : lbcrypto::SPARSE_ENCAPSULATED;
}

/** The secret's distribution is asked for twice: for the key itself and for the overflow bound of the modulus raise. */
inline lbcrypto::KeyPair<lbcrypto::DCRTPoly> makeKeys(Secret secret,
                                                      const lbcrypto::CryptoContext<lbcrypto::DCRTPoly>& context) {
  const auto rlwe =
      std::dynamic_pointer_cast<lbcrypto::CryptoParametersRLWE<lbcrypto::DCRTPoly>>(context->GetCryptoParameters());
  if (secret == Secret::kDenseEncapsulated) rlwe->SetSecretKeyDist(lbcrypto::UNIFORM_TERNARY);
  const auto keys = context->KeyGen();
  rlwe->SetSecretKeyDist(distribution(secret));
  return keys;
}

}  // namespace driver
