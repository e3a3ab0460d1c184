package process

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"

	"github.com/tendhq/tend/internal/fault"
)

// User is another user of the system, for programs that must not be this process's.
type User struct {
	Name   string
	Home   string
	UID    uint32
	GID    uint32
	Groups []uint32
}

// Path is where a program of another user finds programs: what this process has set for itself does not count there.
const Path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Other finds a user that programs of steps can run as: one that is there, is neither root nor the user of this process, and
// that this process can become.
func Other(name string) (*User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fault.New(fault.Missing, "there is no user %q on this machine", name).WithNext("make it: useradd --system --no-create-home --shell /usr/sbin/nologin %s", name)
	}
	o := &User{Name: u.Username, Home: u.HomeDir}
	ids := []string{u.Uid, u.Gid}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "look up the groups of user %s", name)
	}
	for i, id := range append(ids, groups...) {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "read the ids of user %s", name)
		}
		switch i {
		case 0:
			o.UID = uint32(n)
		case 1:
			o.GID = uint32(n)
		default:
			o.Groups = append(o.Groups, uint32(n))
		}
	}
	switch {
	case o.UID == 0:
		return nil, fault.New(fault.Refused, "user %q is root: what is to be kept from steps could not be", name).WithNext("choose a user who may do nothing else")
	case int(o.UID) == os.Geteuid():
		return nil, fault.New(fault.Refused, "user %q is the one that runs the server", name).WithNext("choose another one: it must not be able to read what the server can")
	case os.Geteuid() != 0:
		return nil, fault.New(fault.Refused, "only root can run programs as user %q", name).WithNext("start the server as root, or leave steps on it off")
	}
	return o, nil
}

// Own hands a directory of this process to u.
func (u *User) Own(dir string) error { return os.Chown(dir, int(u.UID), int(u.GID)) }

// Env is the beginning of an environment of u's: nothing of this process is in it but language and time zone.
func (u *User) Env() map[string]string {
	env := map[string]string{"PATH": Path, "HOME": u.Home, "USER": u.Name, "LOGNAME": u.Name}
	for _, name := range []string{"LANG", "TZ"} {
		if v, ok := os.LookupEnv(name); ok {
			env[name] = v
		}
	}
	return env
}

// become makes the program one of another user, with the files that it gets: a file that has no name any more can still not
// be opened anew by somebody else.
func (c Command) become(cmd *exec.Cmd) error {
	if c.As == nil {
		return nil
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.As.UID, Gid: c.As.GID, Groups: c.As.Groups}
	for _, f := range c.Files {
		if err := f.Chown(int(c.As.UID), int(c.As.GID)); err != nil {
			return err
		}
	}
	return nil
}
