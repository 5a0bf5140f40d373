/*
 * The Python that runs labs, as a library of two calls.
 *
 * banyan_init runs once, while the runtime is built. What it leaves in memory
 * is written into the module (see snapshot/), so that banyan_run finds an
 * interpreter that has started and imported already. docs/lab-runtime.md
 * has the contract with the programs that load the module.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/* Name, NUL and source of a program, and room for a last NUL. */
enum { BUFFER = 1 << 20 };
static char buffer[BUFFER + 1];

/* What preload.py hands over: callables that a program cannot replace. */
static PyObject *begin, *end;

static void stop(PyStatus status) {
	if (PyStatus_Exception(status)) {
		Py_ExitStatusException(status);
	}
}

static void must(int ok) {
	if (!ok) {
		PyErr_Print();
		Py_FatalError("banyan_init");
	}
}

/*
 * Zeroes what was freed. Nobody reads it, but it would be in the module.
 * Large pieces first; a piece above all that was ever used is new, not freed.
 */
static void scrub(void) {
	char *top = (char *)(__builtin_wasm_memory_size(0) << 16);
	while (top[-1] == 0) {
		top--;
	}
	struct piece {
		struct piece *next;
	} *pieces = NULL;
	for (size_t size = 1 << 22; size >= 64; size /= 2) {
		for (;;) {
			struct piece *p = malloc(size);
			if (p == NULL) {
				break;
			}
			if ((char *)p + size > top) {
				free(p);
				break;
			}
			explicit_bzero(p, size);
			p->next = pieces;
			pieces = p;
		}
	}
	while (pieces != NULL) {
		struct piece *next = pieces->next;
		pieces->next = NULL;
		free(pieces);
		pieces = next;
	}
}

/*
 * CPython does not count how deep it is in these two, and a browser's stack is
 * soon full. They are set before Python starts, since types inherit them.
 */
static hashfunc tuple_hash;
static reprfunc generic_repr;

static Py_hash_t guarded_hash(PyObject *o) {
	if (Py_EnterRecursiveCall(" while hashing a tuple")) {
		return -1;
	}
	Py_hash_t hash = tuple_hash(o);
	Py_LeaveRecursiveCall();
	return hash;
}

static PyObject *guarded_repr(PyObject *o) {
	if (Py_EnterRecursiveCall(" while getting the repr of a generic type")) {
		return NULL;
	}
	PyObject *repr = generic_repr(o);
	Py_LeaveRecursiveCall();
	return repr;
}

/* Starts Python and runs preload.py, which the building machine lays into /lib/python3.13. */
EXPORT(banyan_init) void banyan_init(void) {
	tuple_hash = PyTuple_Type.tp_hash;
	PyTuple_Type.tp_hash = guarded_hash;
	generic_repr = Py_GenericAliasType.tp_repr;
	Py_GenericAliasType.tp_repr = guarded_repr;

	PyPreConfig pre;
	PyPreConfig_InitIsolatedConfig(&pre);
	pre.utf8_mode = 1;
	stop(Py_PreInitialize(&pre));

	PyConfig config;
	PyConfig_InitIsolatedConfig(&config);
	config.site_import = 0;
	config.write_bytecode = 0;
	config.pathconfig_warnings = 0;
	config.install_signal_handlers = 0;
	config.use_hash_seed = 1;
	config.hash_seed = 0;
	/* Every path is given: nothing is looked for. */
	stop(PyConfig_SetString(&config, &config.program_name, L"python"));
	stop(PyConfig_SetString(&config, &config.executable, L""));
	stop(PyConfig_SetString(&config, &config.base_executable, L""));
	stop(PyConfig_SetString(&config, &config.prefix, L"/"));
	stop(PyConfig_SetString(&config, &config.base_prefix, L"/"));
	stop(PyConfig_SetString(&config, &config.exec_prefix, L"/"));
	stop(PyConfig_SetString(&config, &config.base_exec_prefix, L"/"));
	stop(PyConfig_SetString(&config, &config.stdlib_dir, L"/lib/python3.13"));
	config.module_search_paths_set = 1;
	stop(PyWideStringList_Append(&config.module_search_paths, L"/lib/python3.13"));
	stop(Py_InitializeFromConfig(&config));
	PyConfig_Clear(&config);

	/* preload.preload() gives (begin, end); then all that is left of the start is collected and frozen. */
	PyObject *preload = PyImport_ImportModule("banyan_preload");
	must(preload != NULL);
	PyObject *hooks = PyObject_CallMethod(preload, "preload", NULL);
	Py_DECREF(preload);
	must(hooks != NULL && PyArg_ParseTuple(hooks, "OO", &begin, &end));
	Py_INCREF(begin);
	Py_INCREF(end);
	Py_DECREF(hooks);
	PyGC_Collect();
	PyObject *gc = PyImport_ImportModule("gc");
	PyObject *none = gc == NULL ? NULL : PyObject_CallMethod(gc, "freeze", NULL);
	must(none != NULL);
	Py_DECREF(none);
	Py_DECREF(gc);
	scrub();
}

/* The address of the buffer, which holds 1 MiB. */
EXPORT(banyan_buffer) char *banyan_buffer(void) { return buffer; }

/* The code of the SystemExit that is set, as `python file.py` would leave with; clears it. */
static int exit_code(void) {
	PyObject *exc = PyErr_GetRaisedException();
	PyObject *code = PyObject_GetAttrString(exc, "code");
	int status = 1;
	if (code == NULL) {
		PyErr_Clear();
	} else if (code == Py_None) {
		status = 0;
	} else if (PyLong_Check(code)) {
		status = (int)PyLong_AsLong(code); /* -1 when it is too large, as there */
		PyErr_Clear();
	} else {
		PyObject *err = PySys_GetObject("stderr");
		if (err == NULL || PyFile_WriteObject(code, err, Py_PRINT_RAW) < 0 || PyFile_WriteString("\n", err) < 0) {
			PyErr_Clear();
		}
	}
	Py_XDECREF(code);
	Py_XDECREF(exc);
	return status & 0xff;
}

/* Tells what was raised, on stderr, and gives the exit code. */
static int report(void) {
	if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
		return exit_code();
	}
	PyErr_Print();
	return 1;
}

/*
 * Runs the program in buffer[0:n], which is its name, NUL and its source, both
 * UTF-8. Returns its exit code: 0, that of SystemExit, or 1 after a traceback.
 */
EXPORT(banyan_run) int banyan_run(int n) {
	char *zero = n > 0 && n <= BUFFER ? memchr(buffer, 0, (size_t)n) : NULL;
	if (zero == NULL) {
		PySys_WriteStderr("banyan_run: the buffer holds no name and source\n");
		return 2;
	}
	buffer[n] = 0;
	char *source = zero + 1;

	/* begin(name) gives the path of the program and the dictionary of a fresh __main__. */
	PyObject *path = NULL, *dict = NULL, *code = NULL, *result = NULL;
	PyObject *pair = PyObject_CallFunction(begin, "ss#", buffer, source, (Py_ssize_t)(buffer + n - source));
	if (pair != NULL && PyArg_ParseTuple(pair, "UO", &path, &dict)) {
		if (strlen(source) < (size_t)(buffer + n - source)) {
			PyErr_SetString(PyExc_SyntaxError, "source code cannot contain null bytes");
		} else {
			code = Py_CompileStringObject(source, path, Py_file_input, NULL, -1);
		}
	}
	if (code != NULL) {
		result = PyEval_EvalCode(code, dict, dict);
	}
	int status = result == NULL ? report() : 0;
	Py_XDECREF(result);

	/* What waits for the end, what the program holds, and the streams. Nothing of it is held here. */
	Py_XDECREF(code);
	Py_XDECREF(pair);
	result = PyObject_CallNoArgs(end);
	if (result == NULL) {
		int late = report();
		status = status ? status : late;
	}
	Py_XDECREF(result);
	return status;
}
