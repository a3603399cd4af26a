#pragma once

#include <napi.h>

#include <cstdint>

namespace heml::addon {

// Bytes that stay where they are: the array is referenced until the promise settles. Made and destroyed on the main thread
// only: the work gets the plain pointer, the promise's ticket owns the object.
class Pinned {
public:
    explicit Pinned(const Napi::Uint8Array& bytes)
        : reference_(Napi::Persistent(bytes.As<Napi::Object>())), data_(bytes.Data()), size_(bytes.ByteLength()) {}
    const uint8_t* data() const { return data_; }
    size_t size() const { return size_; }

private:
    Napi::ObjectReference reference_;
    const uint8_t* data_;
    size_t size_;
};

}  // namespace heml::addon
