/* targets/account_step.c - the account in a request or plan, as helper or PID 1 unpacks it. */
/* Sources: account/account.c */
#include "account/account.h"
#include "tests/fuzz/targets/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *copy = fuzz_copy(data, size);
	struct account *account = account_unpack(copy, size);

	if (account) {
		size_t length;
		void *again = account_pack(account, &length);

		MUST(again && length == size && memcmp(again, data, size) == 0);
		free(again);
	}
	free(account);
	free(copy);
	return 0;
}
