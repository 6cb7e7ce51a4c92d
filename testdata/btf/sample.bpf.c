/*
 * What the tests of the ELF and BTF readers and of the layout generator read. To compile again:
 *
 *     clang -g -O2 -target bpfel -c sample.bpf.c -o sample.le.o && llvm-strip-14 -g sample.le.o
 *     clang -g -O2 -target bpfeb -c sample.bpf.c -o sample.be.o && llvm-strip-14 -g sample.be.o
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum losslog_kind { KIND_RETRANSMIT, KIND_DROP = 7 };
enum losslog_flag { LOSSLOG_FLAG_HAS_UID = 1, LOSSLOG_FLAG_LAST = 2 };
enum signs { MINUS = -1, PLUS = 1 };

struct flow {
	u8 src[16];
	u8 dst[16];
	u16 sport, dport;
};

struct sample_record {
	u64 boot_ns;
	struct flow flow;
	u8 kind;
	u8 _pad[3];
	union {
		u32 seq;
		struct {
			u16 low;
			u16 high;
		};
	};
	char comm[2][16];
};

struct bits {
	u32 first : 3;
	u32 second : 9;
	struct {
		const volatile u16 plain;
		u8 inner : 4;
	} nested;
	struct sample_record *pointer;
	double real;
};

struct counters {
	u64 recorded[2];
} __attribute__((aligned(64)));

struct key {
	u32 netns;
};

struct {
	int (*type)[1];
	struct key *key;
	u8 *value;
} a_map __attribute__((section(".maps"), used));

typedef void (*btf_trace_sample)(void *data, const struct flow *flow, int err);

const volatile u8 has_err = 0;
const volatile u64 forward_address = 0;
struct counters counters[4];
u32 total;

struct sample_record *sample_record_type;
struct bits *bits_type;
enum losslog_kind kind_type;
enum losslog_flag flag_type;
enum signs signs_type;
btf_trace_sample trace_type;

__attribute__((section("tp_btf/sample"), used)) int sample_program(u64 *context)
{
	counters[context[0] & 3].recorded[0] += has_err + forward_address;
	return total++;
}

char LICENSE[] __attribute__((section("license"), used)) = "GPL";
