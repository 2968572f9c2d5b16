/* targets/account_step.c - the account in a plan, as PID 1 unpacks it. */
/* Sources: helper/init/account_step.c helper/accounts/passwd_merge.c
 * helper/accounts/group_merge.c helper/accounts/entry_lines.c helper/accounts/id_map.c
 * base/files.c base/directories.c base/tree_remove.c base/failure.c
 */
#include "helper/init/account_step.h"
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
