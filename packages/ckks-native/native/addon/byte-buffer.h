// Bytes that a worker fills and JavaScript then owns: the memory itself is handed over, since touching fresh memory for a
// copy costs more than writing it.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

namespace heml::addon {

class ByteBuffer {
public:
    // Uninitialised.
    void allocate(size_t size) {
        data_.reset(new uint8_t[size]);
        size_ = size;
    }
    uint8_t* data() { return data_.get(); }
    size_t size() const { return size_; }

    // Once, on the main thread; the buffer is empty afterwards.
    Napi::Value release(Napi::Env env) {
        uint8_t* data = data_.release();
        auto owned = Napi::ArrayBuffer::New(env, data, size_, [](Napi::Env, void* bytes) { delete[] static_cast<uint8_t*>(bytes); });
        return Napi::Uint8Array::New(env, size_, owned, 0);
    }

private:
    std::unique_ptr<uint8_t[]> data_;
    size_t size_ = 0;
};

}  // namespace heml::addon
