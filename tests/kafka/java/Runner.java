import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main methods of Kafka's tools one after the other in this process, because a new process
 * takes longer than most tools do.
 *
 * <p>A line on stdin is a class and its arguments, separated by tabs. The answer on stdout is a line
 * "status bytes" and as many bytes: what the tool wrote to stdout and stderr.
 */
public final class Runner {
  /** Thrown where a tool wants to end the process; an Error, so that few tools catch it. */
  private static final class Ended extends Error {
    final int status;

    Ended(int status) {
      super("exit " + status, null, false, false);
      this.status = status;
    }
  }

  public static void main(String[] arguments) throws Exception {
    Exit.setExitProcedure((status, message) -> { throw new Ended(status); });
    Exit.setHaltProcedure((status, message) -> { throw new Ended(status); });
    PrintStream answers = System.out;
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] words = line.split("\t", -1);
      var shown = new ByteArrayOutputStream();
      var sink = new PrintStream(shown, true, StandardCharsets.UTF_8);
      System.setOut(sink);
      System.setErr(sink);
      int status = run(words[0], Arrays.copyOfRange(words, 1, words.length));
      sink.flush();
      answers.println(status + " " + shown.size());
      shown.writeTo(answers);
      answers.flush();
    }
  }

  private static int run(String name, String[] arguments) {
    try {
      Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
      return 0;
    } catch (InvocationTargetException thrown) {
      if (thrown.getCause() instanceof Ended ended) {
        return ended.status;
      }
      thrown.getCause().printStackTrace();
      return 1;
    } catch (ReflectiveOperationException unknown) {
      unknown.printStackTrace();
      return 2;
    }
  }
}
